"""MLflow's store, opened: quick, quiet, private, made whole or not at all, and by one process of ours at a time.

Knows nothing of what goes into it. Whatever goes wrong there is one warning for those who mirror by the way.
"""

import os
import sqlite3
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from persuasion.errors import UsageFailure
from persuasion.running import SECRET

EXPERIMENT = "persuasion"
WAIT, DEADLINE = 45, 60
"""Seconds to wait for another process's mirroring, and that mirroring may take."""
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "3",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}
"""Without them a server that is down holds every call for minutes."""
_SQLITE = "sqlite:///"


@contextmanager
def opened(home: Path, *, deadline: int | None = DEADLINE, code: int = 0) -> Iterator[tuple[Any, str]]:
    """Yield a client of the store and the id of MLflow's experiment there; no other process of ours is at it.

    ``home``: the main repository. After ``deadline`` seconds the process warns and exits with ``code``.
    """
    from filelock import FileLock

    uri = _prepare(home)
    file = _file(uri)
    # beside the file, for other clones may share it; a server takes care of itself, but not of one run made twice
    lock = file.with_name(f"{file.name}.lock") if file else home / "mlflow.db.lock"
    with FileLock(lock, timeout=WAIT), _limit(deadline, code):
        from mlflow import MlflowClient
        from mlflow.store.db import utils

        utils.MAX_RETRY_COUNT = 2  # a database that is down would be asked for minutes
        artifacts = None if uri.startswith(("http", "databricks")) else (home / "mlartifacts").as_uri()
        if file and artifacts:
            _make(file, artifacts)
        client = MlflowClient(tracking_uri=uri)
        yield client, _place(client, artifacts)


def _prepare(home: Path) -> str:
    """Set MLflow up, before its import; return the tracking URI."""
    import logging

    uri = os.environ.get("MLFLOW_TRACKING_URI") or _local(home)
    if uri.startswith(_SQLITE) and not uri.startswith(f"{_SQLITE}/"):  # MLflow would look where the process is
        uri = f"{_SQLITE}{home.resolve() / uri.removeprefix(_SQLITE)}"
    os.environ.update({"MLFLOW_TRACKING_URI": uri, **{name: os.environ.get(name) or v for name, v in SETTINGS.items()}})
    warnings.simplefilter("ignore")
    logging.disable()
    return uri


def _local(home: Path) -> str:
    if set("?%") & set(str(home)):  # SQLAlchemy would open another file, elsewhere
        raise UsageFailure(f"no SQLite store under {home}", why="? or % in the path", fix="set MLFLOW_TRACKING_URI")
    return f"{_SQLITE}{home.resolve()}/mlflow.db"


def _file(uri: str) -> Path | None:
    """The file of a SQLite store."""
    return Path(uri.removeprefix(_SQLITE).partition("?")[0]) if uri.startswith(_SQLITE) else None


def _make(file: Path, artifacts: str) -> None:
    """Make a SQLite store that is not there, under another name first: half of one can never be mended."""
    if file.exists() and file.stat().st_size:
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    partial = file.with_name(f"{file.name}.partial")
    for left in (partial, *(partial.with_name(partial.name + kind) for kind in ("-journal", "-wal", "-shm"))):
        left.unlink(missing_ok=True)
    SqlAlchemyStore(f"{_SQLITE}{partial}", artifacts).engine.dispose()
    partial.replace(file)


def _place(client: Any, artifacts: str | None) -> str:
    """The id of MLflow's experiment, made if it is not there."""
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        try:
            return str(client.create_experiment(EXPERIMENT, artifact_location=artifacts))
        except Exception:
            found = client.get_experiment_by_name(EXPERIMENT)  # another clone was quicker
            if found is None:
                raise
    return str(found.experiment_id)


@contextmanager
def _limit(seconds: int | None, code: int) -> Iterator[None]:
    """End the process, with the warning, when a server neither answers nor refuses."""
    if seconds is None:
        yield
        return

    def give_up() -> None:
        warn(f"no answer within {seconds} s")
        os._exit(code)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def explained(error: BaseException) -> str:
    """What the system said where it said something (refused, timed out, no database), else the error itself."""
    first = error
    while cause := first.__cause__ or first.__context__:
        first = cause
    if isinstance(first, OSError | sqlite3.Error):
        return shown(f"{os.environ.get('MLFLOW_TRACKING_URI', '')} {first}")
    return shown(str(error) or type(error).__name__)


def shown(text: str) -> str:
    """In one line, without credentials."""
    return SECRET.sub("", " ".join(text.split()))[:300]


def warn(why: str, after: str = "nothing else is affected") -> None:
    """Say in one line why there is no run."""
    print(f"warning: not mirrored to MLflow ({shown(why)}); {after}", file=sys.stderr, flush=True)
