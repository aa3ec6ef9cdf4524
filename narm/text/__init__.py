"""Text that people write: files, YAML and durations, and where in them a mistake is."""
