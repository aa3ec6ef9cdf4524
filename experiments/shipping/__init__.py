"""The winner as a model in MLflow: packaged, registered, served."""
