"""What ranges of threads gave, put together as the files of the stage ``pair``, range after range."""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from persuasion import drafting
from persuasion.drafting import Made
from persuasion.files import write_text
from persuasion.pairing import Dropped
from persuasion.records import SPLITS, CorpusThread, Pair
from persuasion.tables import table_writer


def write_pairs(folder: Path, made: Sequence[Made], split_of: Callable[[str], str | None]) -> None:
    """Write train, validation and test.parquet: the pairs for whose id ``split_of`` gives a split."""
    _write(folder, made, drafting.PAIRS, "pair_id", split_of, SPLITS, Pair)


def write_corpus(folder: Path, made: Sequence[Made], split_of: Callable[[str], str | None]) -> None:
    """Write the corpus of the training and the validation threads; the small base never sees another."""
    _write(folder, made, drafting.CORPUS, "thread_id", split_of, SPLITS[:2], CorpusThread)


def write_dropped(path: Path, dropped: Iterable[Dropped]) -> None:
    """Write ids and reasons, no text."""
    lines = sorted(json.dumps(asdict(row), sort_keys=True) for row in dropped)
    write_text(path, "".join(f"{line}\n" for line in lines))


def _write(
    folder: Path,
    made: Sequence[Made],
    name: str,
    key: str,
    split_of: Callable[[str], str | None],
    splits: Sequence[str],
    kind: type,
) -> None:
    with ExitStack() as stack:
        writers = {split: stack.enter_context(table_writer(folder / f"{split}.parquet", kind)) for split in splits}
        for split, table in drafting.routed(made, name, key, split_of):
            if split in writers:
                writers[split](table)
