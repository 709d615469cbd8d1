"""Stage `sft`: tune the base, or the model that `lm` made of it, on the chosen completions of the training pairs.

Run it as ``python -m stages.sft``; killed, the same command continues.
"""

from pathlib import Path

from persuasion.preparing import step
from persuasion.records import Pair
from persuasion.running import run
from persuasion.scoring import encode_pairs


def main() -> None:
    """Train, merge, and write the model with its perplexity before and after."""
    step("sft", Path("data/pairs"), Pair, encode_pairs)


if __name__ == "__main__":
    run(main)
