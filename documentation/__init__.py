"""Makes a site of docs/: what mkdocs builds, with a reference that the code itself writes."""
