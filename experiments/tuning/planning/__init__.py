"""What a search would take, before anything is trained: seconds on this machine, measured on a part of the data."""
