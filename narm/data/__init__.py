"""From event logs to batches: flat integer arrays all the way."""
