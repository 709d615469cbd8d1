"""Pairs in the forms of other programs, and what each of these needs to be told to load them.

``record`` makes a row of a pair, ``written`` makes a file's text of rows. Forms without a column for
ids hold no pseudonyms either. Pure: no files, no terminal.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from persuasion.records import Pair
from persuasion.tables import plain, schema

Record = dict[str, Any]
COLUMNS = tuple(schema(Pair).names)
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for a formula (OWASP, CSV injection)
DATASET_INFO, AXOLOTL = "dataset_info.json", "axolotl.yaml"
# Characters that JSON may hold as they are, but at which a reader breaks lines or a terminal acts.
_UNSAFE = re.compile("[\x80-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How pairs are written: a pair's ``record``, how records make a file, and how its name ends.

    ``guide`` makes, from file names by split, the text by which another program loads them, for a file
    of the name ``guide_name``; None where none is needed. ``tells_split``: whether a record names its split.
    """

    record: Callable[[Pair], Record]
    layout: Literal["lines", "list", "csv"]
    suffix: str
    tells_split: bool = False
    guide: Callable[[Mapping[str, str]], str] | None = None
    guide_name: str = ""


def written(
    records: Iterable[Record], layout: Literal["lines", "list", "csv"], guarded: Counter[str] | None = None
) -> Iterator[str]:
    """Yield the text of a file, record by record.

    In CSV a text that a spreadsheet would take for a formula gets a leading apostrophe, and is counted
    in ``guarded`` by column; None leaves every text as it is.
    """
    if layout == "csv":
        yield from _table(records, guarded)
    elif layout == "lines":
        yield from (f"{to_json(record)}\n" for record in records)
    else:
        yield "["
        for number, record in enumerate(records):
            yield f"{',' if number else ''}\n{to_json(record)}"
        yield "\n]\n"


def to_json(value: Any) -> str:
    """JSON on one line, whatever reads it by lines or shows it in a terminal."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text if text.isascii() else _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _table(records: Iterable[Record], guarded: Counter[str] | None) -> Iterator[str]:
    writer = csv.writer(_Echo(), lineterminator="\r\n")  # told "\n", Python 3.11 leaves a lone "\r" unquoted
    yield writer.writerow(COLUMNS)
    for record in records:
        if guarded is not None:
            risky = [name for name, value in record.items() if isinstance(value, str) and value.startswith(FORMULA)]
            guarded.update(risky)
            record = record | {name: f"'{record[name]}" for name in risky}
        yield writer.writerow(record[name] for name in COLUMNS)


class _Echo:
    """A file whose ``write`` gives the text back, with a Unix line end, which ``writerow`` passes on."""

    def write(self, text: str) -> str:
        return text.removesuffix("\r\n") + "\n"


def _texts(pair: Pair) -> Record:
    """The row of the original research code's ``dpo_random_neg_op_comment`` files."""
    return {"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected}


def _conversational(pair: Pair) -> Record:
    """TRL's conversational preference with an explicit prompt."""
    return {
        "prompt": [_message("user", pair.prompt)],
        "chosen": [_message("assistant", pair.chosen)],
        "rejected": [_message("assistant", pair.rejected)],
    }


def _alpaca(pair: Pair) -> Record:
    """LLaMA-Factory's preference dataset in alpaca form; it joins ``instruction`` and ``input`` by a line end."""
    return {"instruction": pair.prompt, "input": "", "chosen": pair.chosen, "rejected": pair.rejected}


def _sharegpt(pair: Pair) -> Record:
    """LLaMA-Factory's preference dataset in sharegpt form."""
    return {
        "conversations": [{"from": "human", "value": pair.prompt}],
        "chosen": {"from": "gpt", "value": pair.chosen},
        "rejected": {"from": "gpt", "value": pair.rejected},
    }


def _axolotl(pair: Pair) -> Record:
    """Axolotl's ``chat_template.default`` for DPO."""
    return {
        "messages": [_message("user", pair.prompt)],
        "chosen": _message("assistant", pair.chosen),
        "rejected": _message("assistant", pair.rejected),
    }


def _message(role: str, content: str) -> Record:
    return {"role": role, "content": content}


def _dataset_info(columns: Record, **more: str) -> Callable[[Mapping[str, str]], str]:
    """Entries for LLaMA-Factory's dataset_info.json, one a split."""

    def guide(files: Mapping[str, str]) -> str:
        entry = {**more, "ranking": True, "columns": columns | {"chosen": "chosen", "rejected": "rejected"}}
        entries = {f"persuasion_{split}": {"file_name": name, **entry} for split, name in files.items()}
        return json.dumps(entries, indent=2) + "\n"

    return guide


def _axolotl_guide(files: Mapping[str, str]) -> str:
    """The lines of an Axolotl configuration that load the files; validation pairs, beside others, as test set."""
    trained = {split: name for split, name in files.items() if split not in ("validation", "test")} or files
    held_out = [files["validation"]] if "validation" in files.keys() - trained.keys() else []
    lines = ["# For Axolotl: add to your configuration; paths count from where axolotl runs.", "rl: dpo"]
    for section, names in (("datasets", list(trained.values())), ("test_datasets", held_out)):
        lines += [f"{section}:"] if names else []
        for name in names:
            lines += [
                f"  - path: {json.dumps(name)}",
                "    ds_type: json",
                "    split: train",
                "    type: chat_template.default",
                "    field_messages: messages",
                "    field_chosen: chosen",
                "    field_rejected: rejected",
            ]
    return "\n".join(lines) + "\n"


FORMS = {
    "jsonl": Form(record=plain, layout="lines", suffix=".jsonl", tells_split=True),
    "json": Form(record=_texts, layout="list", suffix=".json"),
    "csv": Form(record=plain, layout="csv", suffix=".csv", tells_split=True),
    "conversational": Form(record=_conversational, layout="lines", suffix=".jsonl"),
    "llamafactory": Form(
        record=_alpaca,
        layout="list",
        suffix=".json",
        guide=_dataset_info({"prompt": "instruction", "query": "input"}),
        guide_name=DATASET_INFO,
    ),
    "llamafactory-sharegpt": Form(
        record=_sharegpt,
        layout="list",
        suffix=".json",
        guide=_dataset_info({"messages": "conversations"}, formatting="sharegpt"),
        guide_name=DATASET_INFO,
    ),
    "axolotl": Form(record=_axolotl, layout="lines", suffix=".jsonl", guide=_axolotl_guide, guide_name=AXOLOTL),
}
