"""What runs inside a Ray worker: jobs, reports, checkpoints. Knows neither Optuna nor MLflow."""
