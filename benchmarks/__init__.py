"""Commands that measure NARM Search, each with its committed result and the command that made it."""
