"""Which job is next: trials, proposals, finalists, and the decision what to ship. Knows no Ray."""
