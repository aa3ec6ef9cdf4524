"""The report of a finished search: in the console, on a page, in Markdown."""
