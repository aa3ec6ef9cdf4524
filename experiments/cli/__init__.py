"""How a command line is read, and what each command then does."""
