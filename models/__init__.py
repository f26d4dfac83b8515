"""Learning: models, their training, evaluation and registry; no Prefect."""
