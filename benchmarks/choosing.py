"""Our own choice of negatives alone: ``python -m benchmarks.choosing THREADS NEGATIVE OUT WORKERS``.

No corpus, no splits, no audit, and no cleaning (the texts are plain), which the naive peer does not do either.
"""

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from benchmarks.ours import ROOT
from persuasion.config import Pairs, load_params
from persuasion.cores import in_order, workers
from persuasion.discussions import discussions
from persuasion.pairing import build_pairs
from persuasion.threadtables import Range, ranges


def main() -> None:
    """Choose, write the pairs' ids, and say how many there are."""
    folder, negative, out, count = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
    params = replace(load_params(ROOT / "params.yaml").pairs, negative=cast(Any, negative), clean=False)
    found: list[str] = []
    with workers(count, 1 << 30) as pool:
        parts = ranges(folder, out.parent / "sorted")
        for chosen in in_order(pool, partial(_choose, params=params), parts, ahead=count + 1):
            found += chosen
    out.write_text("".join(sorted(found)), encoding="utf-8")
    print(json.dumps({"pairs": len(found)}))


def _choose(part: Range, params: Pairs) -> list[str]:
    pairs, _ = build_pairs(discussions(*part.read(), clean=False), params)
    return [f"{pair.chosen_id} {pair.rejected_id}\n" for pair in pairs]


if __name__ == "__main__":
    main()
