"""NARM: the model, its data, its training and its evaluation. Knows no Ray, Optuna or MLflow."""
