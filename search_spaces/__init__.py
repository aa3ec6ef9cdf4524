"""Search spaces: data files, and the one translation of them into Optuna distributions."""
