"""What each knob of NARM brings on three data sets: candidates for its options, measured one at a time."""
