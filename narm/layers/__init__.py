"""The layers of NARM: GRU, attention and dropout, on packed sessions."""
