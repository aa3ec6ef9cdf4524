"""Names that `--help` lists, without what stands behind them: that imports Optuna or torch, which take seconds."""

SAMPLER_NAMES = ("tpe", "random", "grid", "qmc", "gp", "cmaes")
"""Keys of `experiments.tuning.optimizer.samplers.SAMPLERS`."""

SCHEDULER_NAMES = ("asha", "hyperband", "median", "pbt", "none")
"""Keys of `experiments.tuning.optimizer.schedulers.SCHEDULERS`."""

EXPORT_NAMES = ("onnx", "torch", "safetensors")
"""Keys of `narm.export.FORMATS`."""
