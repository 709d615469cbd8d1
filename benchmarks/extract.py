"""How fast is extraction, against the popular script and ConvoKit on the same dump?

``python -m benchmarks.extract [--quick]``. Whole processes, interleaved. ``vs_scripts`` is the median wall time of
a script that does the same work (labels, tokens, pseudonyms, masks) over ours; ``vs_scripts_bare`` that of one
that only reads and labels, as most do; ``vs_convokit`` and ``vs_convokit_bare`` likewise with ConvoKit.
``of_zstd_limit`` is the time of ``zstd -dc`` alone over ours. Ours always does all its work, and more than the
peers: r/DeltaLog, roles, repairs, and a place and reason for every line that is no row.
"""

import argparse
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import ours
from benchmarks.cache import cached_dump, require_room
from benchmarks.dump import COMMENTS, SUBMISSIONS, Planted, Shape
from benchmarks.timing import Contender, Timed, interleaved, last_json, last_line, table
from persuasion.errors import IntegrityFailure
from persuasion.running import run

OURS, FRAMES, ZSTD = "ours", "ours, 4 frames", "zstd -dc"
SCRIPTS, BARE = "script, same work", "script, bare"
CONVOKIT, BARE_CONVOKIT = "ConvoKit, same work", "ConvoKit, bare"
PEERS = {
    SCRIPTS: ("benchmarks.peers.scripts",),
    BARE: ("benchmarks.peers.scripts", "--bare"),
    CONVOKIT: ("benchmarks.peers.convokit_corpus",),
    BARE_CONVOKIT: ("benchmarks.peers.convokit_corpus", "--bare"),
}
SAME = ("submissions", "comments", "awards")
OUTPUT_SHARE = 8  # bytes that all runs together leave on the disk, per compressed byte of the dump


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How large a dump, in comments, how many rounds, and whether ours also reads the dump in four frames.

    No round begins after ``within`` seconds but the first.
    """

    comments: int
    rounds: int
    within: float
    frames: bool


FULL = Plan(comments=600_000, rounds=5, within=math.inf, frames=True)
QUICK = Plan(comments=25_000, rounds=3, within=20, frames=False)


def main() -> None:
    """Write the dumps if need be, run the rounds, print the table and the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extract", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small dump and few rounds: within 50 s")
    measure(QUICK if parser.parse_args().quick else FULL)


def measure(plan: Plan) -> None:
    """Run a plan and print what came of it. Raises IntegrityFailure for unequal work, which is no race."""
    dump, planted = cached_dump(Shape(comments=plan.comments, seed=7, frames=1))
    sources = {OURS: dump}
    if plan.frames:
        sources[FRAMES], _ = cached_dump(Shape(comments=plan.comments, seed=7, frames=4))
    packed = sum(path.stat().st_size for path in dump.iterdir())
    require_room(OUTPUT_SHARE * packed)
    with tempfile.TemporaryDirectory(prefix="persuasion-benchmark-") as name:
        missing = _missing(Path(name))
        contenders = [*_ours(Path(name), sources), *_peers(Path(name), dump)]
        timed = interleaved([each for each in contenders if each.name not in missing], plan.rounds, plan.within)
    rounds = len(timed[OURS].seconds)
    print(f"{planted.bytes / 1e9:.2f} GB of lines, {packed / 1e6:.0f} MB compressed: {planted.lines:,} lines")
    print(f"{os.cpu_count()} cores, {rounds} interleaved rounds{'; quick: a small dump' * (plan == QUICK)}\n")
    print(_table(timed, planted), *dict.fromkeys(missing.values()), sep="\n")
    print(f"ours also refuses second copies of an id: {planted.duplicates + planted.newer_versions} were planted")
    require_same_work(timed, planted)
    print(last_line("extract", _ratios(timed), rounds))


def _ours(home: Path, sources: Mapping[str, Path]) -> Iterator[Contender]:
    for number, (name, dump) in enumerate(sources.items()):
        folder = ours.prepared(home / f"ours{number}", dump)
        yield Contender(
            name=name,
            command=ours.COMMAND,
            folder=folder,
            leavings=ours.LEAVINGS,
            environment=ours.environment(home),
            found=partial(_metrics, folder),
        )


def _peers(home: Path, dump: Path) -> Iterator[Contender]:
    made = partial(Contender, folder=home, leavings=("out",), environment=ours.environment(home))
    for name, (module, *options) in PEERS.items():
        yield made(name=name, command=(sys.executable, "-m", module, str(dump), "out", *options), found=last_json)
    files = (str(dump / SUBMISSIONS), str(dump / COMMENTS))
    yield made(name=ZSTD, command=("zstd", "-dcq", "--long=31", *files), found=None)


def _metrics(folder: Path, output: str) -> Mapping[str, int]:
    return ours.found(folder)


def _missing(home: Path) -> dict[str, str]:
    """Who cannot run here, and why."""
    missing: dict[str, str] = {}
    check = (sys.executable, "-c", "from convokit import Corpus")
    done = subprocess.run(check, env=ours.environment(home), capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        why = done.stderr.strip().rpartition("\n")[2]
        missing |= dict.fromkeys((CONVOKIT, BARE_CONVOKIT), f"vs_convokit is null: ConvoKit cannot be imported ({why})")
    if shutil.which("zstd") is None:
        missing[ZSTD] = "of_zstd_limit is null: there is no zstd command"
    return missing


def _ratios(timed: Mapping[str, Timed]) -> dict[str, float | None]:
    names = {
        "vs_scripts": SCRIPTS,
        "vs_scripts_bare": BARE,
        "vs_convokit": CONVOKIT,
        "vs_convokit_bare": BARE_CONVOKIT,
        "of_zstd_limit": ZSTD,
    }
    own = timed[OURS].median
    return {key: timed[name].median / own if name in timed else None for key, name in names.items()}


def _table(timed: Mapping[str, Timed], planted: Planted) -> str:
    head = ("", "median s", "min", "max", "MB/s", "x ours", "posts", "comments", "awards", "refused")
    expected = to_find(planted)
    rows = [
        (
            name,
            *(f"{seconds:.2f}" for seconds in (each.median, min(each.seconds), max(each.seconds))),
            f"{planted.bytes / 1e6 / each.median:.0f}",
            f"{each.median / timed[OURS].median:.2f}",
            *(f"{each.found[key]:,}" if each.found else "" for key in (*SAME, "refused")),
        )
        for name, each in timed.items()
    ]
    return table(head, [*rows, ("planted", *[""] * 5, *(f"{expected[key]:,}" for key in (*SAME, "refused")))])


def to_find(planted: Planted) -> dict[str, int]:
    """What a reader must find who keeps every comment whose post is there."""
    broken = planted.cut + planted.garbage + planted.not_object + planted.missing_field
    return {
        "submissions": planted.submissions,
        "comments": planted.comments - planted.orphans,
        "awards": planted.confirmed,
        "refused": broken + planted.orphans,
    }


def require_same_work(timed: Mapping[str, Timed], planted: Planted) -> None:
    """Raise IntegrityFailure when a contender's posts, comments or awards are not those planted."""
    expected = to_find(planted)
    for name, each in timed.items():
        wrong = {key: each.found[key] for key in SAME if each.found and each.found[key] != expected[key]}
        if wrong:
            raise IntegrityFailure(
                f"{name} did other work than was planted",
                why=", ".join(f"{value} {key} where {expected[key]} were planted" for key, value in wrong.items()),
            )


if __name__ == "__main__":
    run(main)
