"""Everything that knows Ray, Optuna or MLflow."""

import os

# Ray reads most of these when it is first imported, so they are set before every import of it. A value that is
# already set by the user wins.
_RAY_SETTINGS = {
    "RAY_AUTH_MODE": "token",  # Ray's ports listen on every interface
    "RAY_USAGE_STATS_ENABLED": "0",  # no reports to anyone
    "RAY_AIR_NEW_OUTPUT": "0",  # our own progress display instead
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # Ray's coming default; the old one warns
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # no CSV, JSON or TensorBoard files: MLflow keeps the metrics
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # see experiments.tuning.driver.stopping
    "TUNE_FORCE_TRIAL_CLEANUP_S": "1",  # a stopped search does not wait for the epoch in flight
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",  # the study database is the truth; Ray's own state is disposable
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",  # the study and MLflow keep the reason of a failure
}
for _name, _value in _RAY_SETTINGS.items():
    os.environ.setdefault(_name, _value)
