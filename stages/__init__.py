"""One thin file per pipeline stage, each run as ``python -m stages.<name>``."""
