"""Two searches of the same data, side by side."""
