"""Every property of reading, cleaning and delta detection on random bytes, as many as time allows, each alike.

``python -m tests.fuzz [--minutes 10] [--seed 1]``, one per core with other seeds. Hypothesis makes its values of the
bytes, by its hook for fuzzers: no search, nothing remembered, so time alone is the limit. Properties that need a folder
or file of parameters are fuzzed by ``pytest --fuzz N`` instead. Exit 1 when one failed: its bytes are printed and kept
in Hypothesis's database, so that ``pytest`` shows the least value that fails, to become an ``@example``.
"""

import argparse
import inspect
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from random import Random

from benchmarks.timing import table

MODULES = [
    "arcticshift",
    "convokit",
    "deltalog",
    "deltas",
    "differential",
    "documents",
    "dumps",
    "markdown",
    "masking",
    "readypairs",
    "reddit",
    "shp",
    "signs",
    "tan",
]
BYTES = (16, 64, 256, 1024, 4096)
TURN = 50


@dataclass(slots=True)
class Property:
    """A property and what it took so far; ``run`` gives None for bytes of which no value could be made."""

    name: str
    run: Callable[[bytes], bytes | None]
    executions: int = 0
    seconds: float = 0.0
    failed: bool = False


def main() -> None:
    """Fuzz until the time is up, and print what ran."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = list(properties())
    fuzz(found, given.seed, time.monotonic() + 60 * given.minutes)
    rows = [(one.name, f"{one.executions:,}", f"{one.seconds:.0f}") for one in found]
    print(table(("property", "executions", "s"), rows))
    print(f"{sum(one.executions for one in found):,} executions, seed {given.seed}")
    sys.exit(any(one.failed for one in found))


def properties() -> Iterator[Property]:
    """All properties of ``MODULES`` that need nothing but values."""
    for module in MODULES:
        for name, test in vars(import_module(f"tests.test_{module}")).items():
            if hasattr(test, "hypothesis") and not inspect.signature(test).parameters:
                yield Property(f"{module}: {name.removeprefix('test_')}", test.hypothesis.fuzz_one_input)


def fuzz(found: list[Property], seed: int, end: float) -> None:
    """Give the property that had the least time its turn, until ``end``; one that failed is given no more."""
    draw = Random(seed)
    while time.monotonic() < end and (alive := [one for one in found if not one.failed]):
        one = min(alive, key=lambda each: each.seconds)
        begun = time.perf_counter()
        try:
            for _ in range(TURN):
                given = draw.randbytes(draw.choice(BYTES))
                one.executions += one.run(given) is not None
        except Exception as error:
            one.failed = True
            print(f"{one.name}: {error!r} on bytes.fromhex('{given.hex()}')", flush=True)
        one.seconds += time.perf_counter() - begun


if __name__ == "__main__":
    main()
