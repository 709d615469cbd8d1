"""Stage `lm`: continue the base as a language model of the training threads, posts and comments.

Run it as ``python -m stages.lm``; killed, the same command continues.
"""

from pathlib import Path

from persuasion.preparing import comments, step
from persuasion.records import CorpusThread
from persuasion.running import run


def main() -> None:
    """Train, merge, and write the model with its perplexity before and after."""
    step("lm", Path("data/corpus/small"), CorpusThread, comments)


if __name__ == "__main__":
    run(main)
