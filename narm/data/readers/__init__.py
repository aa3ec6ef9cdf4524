"""One reader a format; each returns the three columns that matter, with ids dictionary-encoded."""
