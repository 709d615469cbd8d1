"""Show a training in MLflow while it runs, in a process of its own: nothing there can fail it, or make it wait."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LAST = 20  # seconds for the last points, once the training is over
DONE = "done\n"  # told where it came to its end; whatever else ends the training ends the pipe without a word


@contextmanager
def followed() -> Iterator[None]:
    """Send the curves to the server that MLFLOW_TRACKING_URI names, if it names one, while the body runs."""
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        yield
        return
    command = [sys.executable, "-m", "persuasion.lab.live"]  # says itself, in one line, what went wrong
    # in a session of its own: Ctrl-C ends the training, which then ends it
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)  # noqa: S603
    except OSError as error:
        print(f"warning: the training is not shown in MLflow ({error})", file=sys.stderr)
        yield
        return
    with process as beside:
        word = ""
        try:
            yield
            word = DONE
        finally:
            with suppress(OSError, subprocess.TimeoutExpired):
                beside.communicate(word, timeout=LAST)
            beside.kill()
