"""What a search found, as a person reads it: in the console, on a page, in Markdown, in figures."""
