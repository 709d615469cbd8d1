"""A search put together: the project, its sweep.yaml, the study, and the runner that is asked for."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

from persuasion.errors import SurroundingsFailure
from persuasion.lab import versions
from persuasion.lab.sweep import fitting, following, owners, proposing, storage
from persuasion.lab.sweep.ledger import Ledger
from persuasion.lab.sweep.loop import Loop
from persuasion.lab.sweep.queueing import Queue
from persuasion.lab.sweep.runner import Runner
from persuasion.lab.sweep.running import Running
from persuasion.lab.sweep.spec import FILE, Spec, load
from persuasion.lab.sweep.workshop import Workshop, cache_of


def read(root: Path, **changes: Any) -> Spec:
    """sweep.yaml of the project, with settings from the command line."""
    return load(root / FILE, **changes)


def known(root: Path, **changes: Any) -> Ledger:
    """The study as it is. Raises SurroundingsFailure where there is none."""
    spec = read(root, **changes)
    study = storage.opened(spec, root, create=False)
    baseline = str(study.user_attrs.get("baseline") or versions.git(root, "rev-parse", "HEAD").strip())
    study.pruner = proposing.pruner(spec)
    return Ledger(study=study, spec=spec, baseline=baseline, root=root)


def begun(root: Path, say: Callable[[str], None], **changes: Any) -> Ledger:
    """The study, made if it is not there; refused (exit 2) where it does not fit the project."""
    spec = read(root, **changes)
    fitting.check(spec, root)
    head = fitting.committed(root)
    study = storage.opened(spec, root)
    study.pruner = proposing.pruner(spec)
    baseline = storage.begun(study, head)
    if baseline != head:
        if not versions.git(root, "cat-file", "-t", baseline).strip():
            why = f"the study starts from {baseline[:7]}, which is no commit here"
            raise SurroundingsFailure("this is another history", where=root, why=why, fix="git fetch")
        say(f"The study starts from {baseline[:7]}, and its trials still do; HEAD is {head[:7]}")
    return Ledger(study=study, spec=spec, baseline=baseline, root=root)


def run(root: Path, say: Callable[[str], None], **changes: Any) -> Ledger:
    """Run the search to its end, or take it up where it was left."""
    ledger = begun(root, say, **changes)
    place = storage.place(root, ledger.spec.settings.study)
    shown = following.followed(root, changes, say) if ledger.spec.settings.mlflow else nullcontext(lambda *_: None)
    with ExitStack() as stack:
        stack.enter_context(_alone(place))
        watched = stack.enter_context(shown)
        workshops = _workshops(ledger, place)
        stack.callback(_release, ledger)  # once the runner has ended everything
        runner = stack.enter_context(_runner(ledger, place, workshops))
        share = partial(_share, workshops[0], say) if ledger.spec.settings.share else lambda _: None
        Running(ledger=ledger, runner=runner, say=say, finished=share, watched=watched).until_done()
    return ledger


def _release(ledger: Ledger) -> None:
    with suppress(Exception):  # the sweep ends by something else than a storage that is away; a try is counted then
        ledger.release(owners.me())


def swept(root: Path, say: Callable[[str], None], **changes: Any) -> dict[str, int]:
    """End what a sweep that died left here; count what there was. Refuses (exit 4) while a sweep is at work."""
    ledger = known(root, **changes)
    place = storage.place(root, ledger.spec.settings.study)
    counts = {"processes ended": 0, "workshops removed": 0, "trials told": 0, "trials failed": 0}
    with _alone(place):
        for folder in sorted(place.glob("workshop-*")):
            counts["processes ended"] += owners.reap(folder)
            Workshop(folder, ledger.root, ledger.baseline, ledger.spec.settings.study).clear()
            counts["workshops removed"] += 1
        for trial in ledger.left(owners.me()):
            if ledger.tell(trial):
                counts["trials told"] += 1
            else:
                ledger.fail(trial, "every process that ran it died")
                counts["trials failed"] += 1
    return counts


def _workshops(ledger: Ledger, place: Path) -> list[Workshop]:
    """One for each trial that may run at once; the queue's workers share one."""
    settings = ledger.spec.settings
    count = 1 if settings.runner == "queue" else settings.parallel
    folders = [place / f"workshop-{number}" for number in range(count)]
    crowded = settings.parallel > 1
    return [Workshop(one, ledger.root, ledger.baseline, settings.study, crowded=crowded) for one in folders]


@contextmanager
def _runner(ledger: Ledger, place: Path, workshops: Sequence[Workshop]) -> Iterator[Runner]:
    settings = ledger.spec.settings
    logs = place / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    left = place.glob("workshop-*")  # all of them, for an earlier sweep may have had more
    for folder in sorted(left):
        Workshop(folder, ledger.root, ledger.baseline, settings.study).clear()
    cache = cache_of(ledger.root)
    options = ["--pull"] * settings.share
    runner: Runner
    if settings.runner == "queue":
        runner = Queue(workshops[0], settings.parallel, settings.stages, logs, *options)
    else:
        runner = Loop(workshops, settings.stages, logs, *options)
    try:
        for workshop in workshops:
            workshop.open(cache)
        yield runner
    finally:
        runner.close()


def _share(workshop: Workshop, say: Callable[[str], None], name: str) -> None:
    """Send what the trial made, and what it made it from, to the default remote; trouble there is one line."""
    try:
        workshop.push(name)
    except SurroundingsFailure as error:
        say(f"{name}: not shared: {error.why}; `dvc push --run-cache` makes up for it")


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Refuse a second sweep of the same study in this clone; the lock ends with the process however it ends."""
    from filelock import FileLock, Timeout

    lock = FileLock(place / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        why = "its workshops are that sweep's"
        fix = "`persuasion sweep status` looks at it; another clone may join in through one storage"
        raise SurroundingsFailure("a sweep of this study is at work here", where=place, why=why, fix=fix) from None
    try:
        yield
    finally:
        lock.release()
