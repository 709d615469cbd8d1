"""What others would run, each a program of its own that imports nothing of ours."""
