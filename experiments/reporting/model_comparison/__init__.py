"""Several models side by side, each after a search of its own."""
