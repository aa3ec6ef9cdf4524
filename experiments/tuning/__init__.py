"""The search itself, from top to bottom: driver, engine, study, worker, optimizer. Knows nothing of MLflow."""
