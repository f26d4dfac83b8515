"""`textmill search`: the best options of a model, by Optuna (`pip install textmill[search]`)."""
