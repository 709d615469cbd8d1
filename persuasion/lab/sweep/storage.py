"""Where a study is kept: a journal file on one machine, or any database that Optuna takes, for many.

Knows nothing of DVC. A database's tables are made under a lock here, and a clash between machines
that make them at once is met by looking again.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from persuasion.errors import IntegrityFailure, RemoteFailure, SurroundingsFailure, UsageFailure
from persuasion.lab.refusing import clean, shortened
from persuasion.lab.sweep.spec import Spec

VARIABLE = "PERSUASION_SWEEP_STORAGE"
BEAT, GRACE = 15, 60
"""Seconds between heartbeats of a trial, and without one until its machine counts as lost."""
_TRIES = 5


def place(root: Path, study: str) -> Path:
    """The folder of a search: its journal, logs and workshops."""
    return root.resolve() / ".persuasion/sweep" / study


def url(spec: Spec) -> str | None:
    """The database that is asked for; None: the journal."""
    return os.environ.get(VARIABLE) or spec.settings.storage


def opened(spec: Spec, root: Path, *, create: bool = True) -> Any:
    """The study. Raises UsageFailure where it is another search, SurroundingsFailure where there is none yet."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    name = spec.settings.study
    with quiet():
        storage = _storage(spec, root)
        try:
            study = optuna.load_study(study_name=name, storage=storage)
        except KeyError:
            if not create:
                raise SurroundingsFailure(f"there is no study {name} yet", fix="persuasion sweep run") from None
            study = _created(spec, storage)
    _require_same(spec, study)
    return study


def begun(study: Any, baseline: str) -> str:
    """The commit that the study's trials start from: its own if it has one, else this one from now on."""
    known = study.user_attrs.get("baseline")
    if known is None:
        study.set_user_attr("baseline", baseline)
    return str(known or baseline)


def beat(study: Any, trial_id: int) -> None:
    """Note that a trial's machine is there, in a storage that keeps such notes."""
    record = getattr(study._storage, "record_heartbeat", None)
    if record is not None:
        with suppress(Exception):  # a database that is away for a moment; the next beat may reach it
            record(trial_id)


def bury(study: Any) -> None:
    """Fail the trials of machines that have not been heard of for a while; each is asked for again."""
    import optuna

    if hasattr(study._storage, "record_heartbeat"):
        with quiet():
            optuna.storages.fail_stale_trials(study)


def _ask_again(study: Any, trial: Any) -> None:
    """Called by Optuna in the one process that failed the trial."""
    study.enqueue_trial(trial.params, user_attrs={"again": trial.number})


def _storage(spec: Spec, root: Path) -> Any:
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    address = url(spec)
    folder = place(root, spec.settings.study)
    folder.mkdir(parents=True, exist_ok=True)
    if address is None:
        journal = folder / "journal.log"
        _mend(journal)
        return JournalStorage(JournalFileBackend(str(journal)))
    from filelock import FileLock

    for attempt in range(_TRIES):
        try:
            with FileLock(folder.parent / "storage.lock"):
                return RDBStorage(
                    address,
                    engine_kwargs={"pool_pre_ping": True},
                    heartbeat_interval=BEAT,
                    grace_period=GRACE,
                    heartbeat_stale_trial_callback=_ask_again,
                )
        except ImportError as error:
            raise SurroundingsFailure(
                "no driver for this storage", why=str(error), fix="see docs/how-to/sweep.md"
            ) from None
        except Exception as error:
            last = error
            if "already exists" not in str(error).lower() and "unique" not in str(error).lower():
                break
            time.sleep(0.5 + attempt)  # another machine makes the tables just now
    raise RemoteFailure("the study's storage does not answer", where=clean(address), why=shortened(last)) from None


def _mend(journal: Path) -> None:
    """Cut a last line that a kill or a full disk left half, for Optuna could read nothing after it.

    Raises IntegrityFailure where another line is no JSON.
    """
    if not journal.is_file():
        return
    content = journal.read_bytes()
    whole, _, half = content.rpartition(b"\n")
    if half:  # or another process writes just now, and lets go of this when it has
        from optuna.storages.journal import JournalFileSymlinkLock
        from optuna.storages.journal._file import get_lock_file

        with get_lock_file(JournalFileSymlinkLock(str(journal))), journal.open("r+b") as stream:
            content = stream.read()
            whole, _, half = content.rpartition(b"\n")
            stream.truncate(len(content) - len(half))
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            json.loads(line)
        except ValueError:
            why = f"line {number} is no JSON"
            fix = "move it away: trials that are experiments are found again by `persuasion sweep run`"
            raise IntegrityFailure("the study's journal is corrupt", where=journal, why=why, fix=fix) from None


def _created(spec: Spec, storage: Any) -> Any:
    import optuna

    directions = [objective.direction for objective in spec.objectives]
    name = spec.settings.study
    study = optuna.create_study(study_name=name, storage=storage, directions=directions, load_if_exists=True)
    study.set_user_attr("search", spec.identity)
    return study


def _require_same(spec: Spec, study: Any) -> None:
    known = study.user_attrs.get("search")
    asked = json.loads(json.dumps(spec.identity))
    if known is None:  # made by hand, or its maker died before it said for what
        study.set_user_attr("search", spec.identity)
    elif known != asked:
        changed = ", ".join(name for name in asked if known.get(name) != asked[name])
        why = f"its {changed} were others, so its trials would not compare with new ones"
        raise UsageFailure(f"the study {spec.settings.study} is another search", why=why, fix="give it another name")


@contextmanager
def quiet() -> Iterator[None]:
    """Without Optuna's warnings: it marks heartbeats, and several samplers, as experimental at each use."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
