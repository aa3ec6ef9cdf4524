"""MLflow: what a search leaves there, and the model that is registered and served."""
