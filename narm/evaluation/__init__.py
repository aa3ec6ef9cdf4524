"""How good a model is: full ranking, slices, intervals, and what lies beyond accuracy."""
