"""Names of the samplers and schedulers, without what stands behind them: that imports Optuna, which takes a second."""

SAMPLER_NAMES = ("tpe", "random", "grid", "qmc", "gp", "cmaes")
"""Keys of `experiments.samplers.SAMPLERS`."""

SCHEDULER_NAMES = ("asha", "hyperband", "median", "pbt", "none")
"""Keys of `experiments.schedulers.SCHEDULERS`."""
