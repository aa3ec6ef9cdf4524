"""Searches replayed on recorded learning curves: the search is real, the training is looked up."""
