"""The fault bench: run the tests that tests/faults.yaml names, once each, two at a time, and print what was seen.

``python -m tests.faultbench`` (`make faults`) exits 1 when a row is not as expected; where all are, it writes
docs/reference/faults.md, which holds neither times nor anything else of one run.
"""

import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pytest

from persuasion.yaml12 import load_yaml
from tests.closures import ROOT

TABLE, PAGE = ROOT / "tests/faults.yaml", ROOT / "docs/reference/faults.md"
KILLS = 20  # of each stage; `make test` has fewer
KILLING = ("tests/test_kills", "tests/test_sweep")  # about half of the bench's time
GOOD, FAILED, SKIPPED, MISSING = "as expected", "NOT AS EXPECTED", "not tested here", "NOT RUN"
HEAD = """# What can go wrong, and what happens then

`make faults` injects every fault below into real components, checks the outcome and writes this page from
`tests/faults.yaml`; it ends with a failure, and without a page, when one row is not as expected. Exit codes are in
[Exit codes](exit-codes.md); – means that no process ends by it. CI runs the bench on every push, and all of its tests
but the longest in `make test` as well.

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A row; ``otherwise`` argues for another outcome than is usual, ``open`` says what is not there yet."""

    n: int
    fault: str
    where: str
    code: int | str | None
    expect: str
    tests: list[str]
    otherwise: str = ""
    open: str = ""

    @property
    def expected(self) -> str:
        """Exit code and outcome."""
        return f"{'–' if self.code is None else self.code}: {self.expect}"


class Recorder:
    """A pytest plugin: outcomes by test function, of all its parameters."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Counter[str]] = defaultdict(Counter)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            name = report.nodeid.split("[")[0].removeprefix("tests/")
            self.outcomes[name][report.outcome] += 1

    def seen(self, test: str) -> str:
        counts = self.outcomes.get(test, Counter())
        if counts["failed"]:
            return FAILED
        return GOOD if counts["passed"] else SKIPPED if counts["skipped"] else MISSING


def faults(path: Path = TABLE) -> list[Fault]:
    """The rows, in order."""
    return [Fault(**row) for row in load_yaml(path)]


def page(rows: list[Fault]) -> str:
    """The page of a bench on which every row is as expected."""
    lines = ["| # | fault | where | expected | seen |", "|---:|---|---|---|---|"]
    for row in rows:
        parts = [f"{GOOD} (" + ", ".join(f"`{test.split('::')[1]}`" for test in row.tests) + ")"] if row.tests else []
        parts += [f"*otherwise*: {row.otherwise}"] * bool(row.otherwise) + [f"**not yet**: {row.open}"] * bool(row.open)
        lines.append(f"| {row.n} | {row.fault} | {row.where} | {row.expected} | {'. '.join(parts)} |")
    return HEAD + "\n".join(lines) + "\n"


def worst(row: Fault, recorder: Recorder) -> str:
    """What is said of a row: the worst of its tests, or that it has none."""
    said = [recorder.seen(test) for test in row.tests]
    return next((word for word in (FAILED, MISSING, SKIPPED, GOOD) if word in said), "not yet")


def lane(tests: list[str]) -> dict[str, Counter[str]]:
    """Run the tests one after the other; what became of each function's."""
    recorder = Recorder()
    pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", f"--kills={KILLS}", *tests], plugins=[recorder])
    return recorder.outcomes


def main() -> int:
    """Run, print, write; the exit code."""
    rows, recorder = faults(), Recorder()
    named = sorted({f"tests/{test}" for row in rows for test in row.tests})
    killing = [test for test in named if test.startswith(KILLING)]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for outcomes in pool.map(lane, (killing, sorted({*named} - {*killing}))):
            recorder.outcomes |= outcomes
    seen = {row.n: worst(row, recorder) for row in rows}
    print("\nfault | where | expected | seen")
    for row in rows:
        print(f"{row.n:2} {row.fault} | {row.where} | {row.expected} | {seen[row.n]}")
    print(", ".join(f"{count} {word}" for word, count in Counter(seen.values()).most_common()))
    if {FAILED, MISSING} & set(seen.values()):
        return 1
    if SKIPPED in seen.values():
        print(f"{PAGE.name} is not written: not every fault could be injected here")
        return 0
    PAGE.write_text(page(rows), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
