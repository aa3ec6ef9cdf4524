"""Names of the files that studies leave: in the output folder, and in the folder that each study has in it."""

DEFAULT_OUTPUT = "runs"
"""The output folder, unless another is named."""

DATABASE = "studies.db"
"""In the output folder: Optuna's database of all studies, unless another is named."""

MLFLOW = "mlflow.db"
"""In the output folder: MLflow's database, unless another server is named."""

ARTIFACTS = "artifacts"
"""In the output folder: what MLflow's database keeps as files."""

SUMMARY = "summary.json"
"""In the folder of a study: what its search found."""

WINNER = "winner.pt"
"""In the folder of a study: checkpoint of the model to ship."""

INCUMBENT = "incumbent.pt"
"""In the folder of a study: a copy of the model that the finalists have to beat, `--against`."""

PAGE = "report.html"
"""In the folder of a study: the report."""

FINALISTS = "finalists"
"""In the folder of a study: folder of the finalists' checkpoints and results."""

OUTBOX = "outbox.jsonl"
"""In the folder of a study: everything that is meant for MLflow."""

COMPARISON = "comparison.json"
"""In the folder of a comparison of models, which is not a study itself."""
