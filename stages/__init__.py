"""One thin file per pipeline stage, each run as ``python -m stages.<name>``."""

import gc
import sys

if sys.argv[0] == "-m":  # a stage is being started, and not imported by something else
    gc.disable()  # imports make a million objects and no garbage: a fifth of their time is searching for it
