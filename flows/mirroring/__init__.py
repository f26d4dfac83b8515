"""A mirror of trainings and models in MLflow, for teams that watch its pages (`pip install textmill[mlflow]`).

The registry of the lake stays the only source of truth: nothing is ever read from MLflow but what the mirror itself
put there, no model is loaded from it, and a mirror that is lost is made again by `textmill models mirror`.
"""
