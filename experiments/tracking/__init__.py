"""MLflow: the record of a search, and the model that is registered and served."""
