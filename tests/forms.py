"""Small files in the true shape of every form: field names as published, every text invented by us."""

import bz2
import io
import json
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from persuasion.config import Source
from persuasion.dumps import Line, lines
from persuasion.reddit import RawComment, RawSubmission, Refuse, Skip
from persuasion.unpacking import Limits
from tests.builders import AT, awarded_thread, ndjson, source

LIMITS = Limits(line_bytes=100_000, window_mb=128)
STUB = {"count": 3, "name": "t1_more", "id": "more", "parent_id": "t1_posta", "depth": 4, "children": ["x", "y", "z"]}


def form_source(path: Path, **changes: Any) -> Source:
    """The ``source`` section for ``path``."""
    fields = {"mask": False, "removals_file": "", "engine": "local", "workers": 1, "block_bytes": 1 << 20}
    return source(path, **fields | changes)


def lines_of(rows: Iterable[Mapping[str, Any] | bytes], name: str = "file") -> Iterator[Line]:
    """Rows as the lines of a file; bytes are lines already."""
    content = b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)
    return lines(io.BytesIO(content), name, LIMITS)


def posts(found: Iterable[tuple[Any, Any]]) -> dict[str, RawSubmission]:
    """The posts among outcomes, by id."""
    return {raw.id: raw for _, raw in found if isinstance(raw, RawSubmission)}


def replies(found: Iterable[tuple[Any, Any]]) -> dict[str, RawComment]:
    """The comments among outcomes, by id."""
    return {raw.id: raw for _, raw in found if isinstance(raw, RawComment)}


def reasons(found: Iterable[tuple[Any, Any]]) -> list[str]:
    """Why the others became no row."""
    return [raw.reason for _, raw in found if isinstance(raw, Skip | Refuse)]


# Arctic Shift's API and Reddit's own pages


def wrapped(record: Mapping[str, Any], below: Iterable[Any] = ()) -> dict[str, Any]:
    """A comment as a tree holds it; without replies these are ""."""
    children = list(below)
    return {"kind": "t1", "data": {**record, "replies": listing(children) if children else ""}}


def listing(children: Iterable[Any]) -> dict[str, Any]:
    """A listing of Reddit's API."""
    return {"kind": "Listing", "data": {"after": None, "before": None, "children": list(children)}}


def tree() -> list[dict[str, Any]]:
    """``awarded_thread`` without its post, as the nodes of a comment tree with a stub."""
    _, winner, other, award, bot = awarded_thread()
    return [wrapped(winner, [wrapped(award, [wrapped(bot)]), {"kind": "more", "data": STUB}]), wrapped(other)]


def deep_tree(depth: int) -> str:
    """A tree whose every comment has one reply, as JSON text: json.dumps would recurse."""
    fields = '"link_id": "t3_post", "author": "challenger", "created_utc": 1400000000, "body": "Sleep on it."'
    start = "".join(
        f'{{"kind": "t1", "data": {{"id": "c{at}", "parent_id": "{f"t1_c{at - 1}" if at else "t3_post"}", {fields}, '
        '"replies": {"kind": "Listing", "data": {"children": ['
        for at in range(depth)
    )
    return f'{{"data": [{start}{"]}}}}" * depth}]}}'


# Tan et al. 2016


def tan_thread(**changes: Any) -> dict[str, Any]:
    """A row of ``all``: a post as Reddit's API gave it in 2015, its comments in one list, one of them a stub."""
    post, *comments = awarded_thread()
    praw = {"subreddit_id": "t5_2w2s8", "ups": 3, "body_html": "<div/>", "replies": listing(["t1_postc"])}
    stub = {name: STUB[name] for name in ("children", "count", "id", "name", "parent_id")}
    row = {**post, "name": "t3_post", "selftext_html": None, "num_comments": 5, "is_self": True}
    return row | {"comments": [*({**comment, **praw} for comment in comments), stub]} | changes


def tan_comment(id_: str, **changes: Any) -> dict[str, Any]:
    """A comment of a path in ``pair_task``."""
    fields = {
        "id": id_, "name": f"t1_{id_}", "link_id": "t3_post", "parent_id": "t3_post", "author": "challenger",
        "created_utc": AT + 60.0, "score": 4, "body": f"An argument for naps, number {id_}.", "distinguished": None,
    }  # fmt: skip
    return fields | changes


def tan_pair(**changes: Any) -> dict[str, Any]:
    """A row of ``pair_task``: the winner's path has a second reply, below one of OP's that is not there."""
    fields = {
        "op_author": "op_name",
        "op_name": "t3_post",
        "op_title": "CMV: Naps are a waste of a good afternoon",
        "op_text": "I wake up dull and cross, and the evening is gone.",
        "positive": {
            "author": "challenger",
            "comments": [tan_comment("win"), tan_comment("win2", parent_id="t1_ops", body="Then try ten minutes.")],
        },
        "negative": {"author": "other", "comments": [tan_comment("lose", author="other")]},
    }
    return fields | changes


def tan_post(**changes: Any) -> dict[str, Any]:
    """A row of ``op_task``."""
    return {"name": "t3_lone", "title": "CMV: Tea is soup", "selftext": "It is hot.", "delta_label": True} | changes


def tan_files() -> dict[str, bytes]:
    """The six files of the distribution and its README."""
    rows = {"all": [tan_thread()], "pair_task": [tan_pair()], "op_task": [tan_post()]}
    names = {"all": "period_data", "pair_task": "pair_data", "op_task": "op_data"}
    files = {
        f"{task}/{part}_{names[task]}.jsonlist.bz2": bz2.compress(ndjson(found if part == "train" else [found[0]]))
        for task, found in rows.items()
        for part in ("train", "heldout")
    }
    return {"README.md": b"Data of ours in the shape of theirs.\n", **files}


def write_tree(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Files under ``folder``."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def write_tar(path: Path, files: Mapping[str, bytes], *, mode: str = "w:bz2") -> Path:
    """A tar archive."""
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    """A zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


# ConvoKit


def utterance(id_: str, **changes: Any) -> dict[str, Any]:
    """A line of utterances.jsonl: a challenger's root reply without a verdict."""
    meta = {"pair_ids": [], "success": None, "score": 2, "subreddit": "changemyview", "edited": False, "replies": []}
    fields = {
        "id": id_, "speaker": "challenger", "conversation_id": "t3_post", "reply_to": "t3_post",
        "timestamp": AT + 60, "text": f"An argument for naps, number {id_}.",
    }  # fmt: skip
    return fields | changes | {"meta": meta | changes.get("meta", {})}


def utterances() -> list[dict[str, Any]]:
    """A conversation with two pairs that share a loser, verdicts on OP's and on nested replies, and a stub."""
    won, lost = {"success": 1, "pair_ids": ["p_1"]}, {"success": 0, "pair_ids": ["p_1", "p_2"]}
    return [
        utterance("t3_post", speaker="op_name", reply_to=None, timestamp=AT, text="I wake up dull and cross."),
        utterance("t1_win", meta=won),
        utterance("t1_ops", speaker="op_name", reply_to="t1_win", text="True enough. ∆", meta=won),
        utterance("t1_win2", reply_to="t1_ops", meta=won),
        utterance("t1_lose", speaker="other", meta=lost),
        utterance("t1_also", speaker="third", meta={"success": 1, "pair_ids": ["p_2"]}),
        utterance("t1_opsroot", speaker="op_name", meta=lost),
        utterance("t1_plain", speaker="fourth"),
        utterance("t1_stub", speaker="[missing]", text=None, timestamp=None),
    ]


def conversations() -> dict[str, Any]:
    """What conversations.json holds."""
    about = {"op-userID": "op_name", "op-title": "CMV: Naps are a waste", "op-text-body": "I wake up dull and cross."}
    return {"t3_post": about | {"pair_ids": ["p_1", "p_2"], "train": 1}}


def convokit_files() -> dict[str, bytes]:
    """The files of a corpus, without a folder."""
    return {
        "utterances.jsonl": ndjson(utterances()),
        "conversations.json": json.dumps(conversations()).encode(),
        "speakers.json": b'{"op_name": {}}',
        "corpus.json": b'{"name": "ours"}',
        "index.json": b'{"version": 1}',
    }


# SHP and ready pairs


def shp_row(**changes: Any) -> dict[str, Any]:
    """A line of SHP's changemyview files: A came later and has more votes."""
    fields = {
        "post_id": "post", "domain": "changemyview_train", "upvote_ratio": 0.9,
        "history": "CMV: Naps are a waste. I wake up dull and cross.",
        "c_root_id_A": "aaa", "c_root_id_B": "bbb", "created_at_utc_A": AT + 90, "created_at_utc_B": AT + 30,
        "score_A": 12, "score_B": 3, "human_ref_A": "Nap for twenty minutes.", "human_ref_B": "Drink coffee.",
        "labels": 1, "seconds_difference": 60.0, "score_ratio": 4.0,
    }  # fmt: skip
    return fields | changes


PAIR_ROWS = [
    {"prompt": "Naps?", "chosen": "Short ones help.", "rejected": "No."},
    {"prompt": "Naps?", "chosen": "Short ones help.", "rejected": "Never."},
    {"prompt": "Tea?", "chosen": "With milk.", "rejected": "Cold."},
    {"prompt": "Tea?", "chosen": "Same.", "rejected": " Same. "},
    {"prompt": " ", "chosen": "a", "rejected": "b"},
]
