"""A search as DVC experiments: Optuna proposes, `dvc exp` runs, and each trial is told its own figures only."""
