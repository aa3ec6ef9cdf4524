"""Whether intervals of a difference hold what they promise: see `benchmarks.coverage.__main__`."""
