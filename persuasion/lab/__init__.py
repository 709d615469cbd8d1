"""The instruments (MLflow, DVC, the command line); nothing in the science imports them."""
