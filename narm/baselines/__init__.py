"""What a tuned NARM must beat: each file one model, with its source, its formula and what differs from it."""
