"""Names of the files that a search leaves in its study's folder."""

SUMMARY = "summary.json"
"""What the search found."""

WINNER = "winner.pt"
"""The checkpoint of the model to ship."""

PAGE = "report.html"
"""The report."""
