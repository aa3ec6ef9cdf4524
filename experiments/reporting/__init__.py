"""What a search found, told to a person: in the console, on a page, in Markdown, in figures."""
