"""`persuasion track sync`, killed at every EVERYth call: ``python -m tests.mirroring PROJECT STUDY FOLDER EVERY``.

A process for each attempt, forked from one that has imported MLflow. Prints, as JSON, what an undisturbed store
holds, how many calls wrote it, and after which kills another store came to hold something else.
"""

import json
import os
import shutil
import signal
import sqlite3
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

WRITING = ("create_run", "log_batch", "log_inputs", "set_tag", "set_terminated", "update_run", "delete_run")


def main() -> None:
    """Try every kill, and twins."""
    for module in ("mlflow.store.tracking.sqlalchemy_store", "optuna.storages", "persuasion.lab.syncing", "yaml"):
        import_module(module)  # once, before the forks
    project, study, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    empty, whole = folder / "empty.db", folder / "whole.db"
    require(forked(lambda: make(project, empty)) == 0)
    shutil.copyfile(empty, whole)
    calls = counted(project, study, whole)
    expected = held(whole)
    again = counted(project, study, whole)
    differences = {}
    for at in range(1, calls + 1, int(sys.argv[4])):
        store = folder / f"{at}.db"
        shutil.copyfile(empty, store)
        require(forked(lambda at=at, store=store: synced(project, study, store, at)) == -signal.SIGKILL)
        counted(project, study, store)
        if held(store) != expected:
            differences[at] = held(store)
    require(forked(lambda: twinned(project, whole)) == 0)
    doubled = len(held(whole)) - len(expected)
    counted(project, study, whole)
    found = {"expected": expected, "calls": calls, "again": again, "differences": differences}
    print(json.dumps(found | {"doubled": doubled, "united": held(whole) == expected}))


def require(condition: bool) -> None:
    if not condition:
        sys.exit("an attempt ended as it should not")


def forked(act: Callable[[], None]) -> int:
    """The exit code of a process that does it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.dup2(2, 1)
            act()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def make(project: Path, store: Path) -> None:
    from persuasion.lab import mlstore

    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{store}"
    with mlstore.opened(project):
        pass


def counted(project: Path, study: str, store: Path) -> int:
    """Sync to the end; how many calls wrote."""
    require(forked(lambda: synced(project, study, store, 0)) == 0)
    return int(store.with_suffix(".calls").read_text())


def synced(project: Path, study: str, store: Path, at: int) -> None:
    """Sync, and be killed before the call ``at``."""
    from mlflow import MlflowClient

    from persuasion.lab import syncing

    calls = 0

    def watch(name: str) -> None:
        plain = getattr(MlflowClient, name)

        def watched(*args, **kwargs):
            nonlocal calls
            calls += 1
            if calls == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return plain(*args, **kwargs)

        setattr(MlflowClient, name, watched)

    for name in WRITING:
        watch(name)
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{store}"
    syncing.sync(project, study=study)
    store.with_suffix(".calls").write_text(str(calls))


def twinned(project: Path, store: Path) -> None:
    """Make each run of the store once more, as another machine does that began at the same moment."""
    from persuasion.lab import mlstore

    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{store}"
    with mlstore.opened(project) as (client, place):
        for run in client.search_runs([place]):
            client.create_run(place, run.info.start_time + 1, run.data.tags, run.info.run_name)


def held(store: Path) -> list:
    """Every run that the store shows: how it ended, and all rows of its points, parameters, tags and inputs."""
    with sqlite3.connect(store) as base:
        ask = base.execute
        runs = ask("SELECT run_uuid, name, status, start_time, end_time FROM runs WHERE lifecycle_stage = 'active'")
        found = runs.fetchall()
        names = {run: name for run, name, *_ in found}
        shown = []
        for run, *info in found:
            rows = {
                "metrics": "SELECT key, step, value, timestamp FROM metrics WHERE run_uuid = ?",
                "params": "SELECT key, value FROM params WHERE run_uuid = ?",
                "tags": "SELECT key, value FROM tags WHERE run_uuid = ?",
                "inputs": "SELECT d.name, d.digest FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id "
                "WHERE i.destination_id = ?",
            }
            held = {kind: sorted(list(row) for row in ask(query, (run,))) for kind, query in rows.items()}
            held["tags"] = [[key, names.get(value, value)] for key, value in held["tags"]]
            shown.append([info, held])
    return sorted(shown, key=json.dumps)


if __name__ == "__main__":
    main()
