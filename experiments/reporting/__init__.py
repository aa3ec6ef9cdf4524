"""What a search found, told to a person: in the console, on a page, in Markdown, in figures."""

PAGE = "report.html"
"""File in the study's folder: the report."""
