import json

import pytest

from persuasion.errors import DataFailure, IntegrityFailure
from persuasion.forms import inputs
from persuasion.readers import read
from tests.builders import ndjson
from tests.forms import (
    PAIR_ROWS,
    convokit_files,
    form_source,
    posts,
    reasons,
    replies,
    shp_row,
    tan_files,
    tan_pair,
    tan_post,
    tan_thread,
    tree,
    write_tar,
    write_tree,
    write_zip,
)


def found_at(path, **changes):
    source = form_source(path, **changes)
    return list(read(inputs(source), source))


def raws(found):
    return sorted(repr(raw) for _, raw in found)


def test_a_tarball_a_zip_and_a_folder_give_the_same_threads(tmp_path):
    tarball = found_at(write_tar(tmp_path / "cmv.tar.bz2", tan_files()))
    assert raws(tarball) == raws(found_at(write_tree(tmp_path / "cmv", tan_files())))
    assert raws(tarball) == raws(found_at(write_zip(tmp_path / "cmv.zip", tan_files())))
    assert sorted(reasons(tarball)) == ["other_task"] * 4 + ["stub"] * 2
    assert {place.file for place, _ in tarball} == {f"cmv.tar.bz2:{name}" for name in tan_files() if "/" in name}


@pytest.mark.parametrize(
    ("tasks", "comments", "skips"),
    [(("all", "pair", "op"), 4, 4), (("pair", "op"), 3, 2), (("op",), 0, 0), (("all",), 4, 0)],
)
def test_the_best_task_is_read_and_the_others_are_counted(tasks, comments, skips, tmp_path):
    files = {name: content for name, content in tan_files().items() if name.startswith(tasks)}
    found = found_at(write_tree(tmp_path / "cmv", files))
    assert len(posts(found)) == 1 and len(replies(found)) == comments
    assert reasons(found).count("other_task") == skips


def test_a_pair_file_alone_and_its_task_in_flat_files(tmp_path):
    write_tree(tmp_path, {"train": ndjson([tan_pair()]), "posts": ndjson([tan_post()])})
    alone, both = found_at(tmp_path / "train"), found_at(tmp_path)
    assert replies(alone) == replies(both)
    assert reasons(both) == ["other_task"]


def test_a_file_of_tans_without_a_row_is_no_silent_loss(tmp_path):
    files = tan_files() | {"pair_task/heldout_pair_data.jsonlist.bz2": b"{}\n"}
    with pytest.raises(DataFailure, match=r"heldout_pair_data\.jsonlist\.bz2 holds no row"):
        found_at(write_tar(tmp_path / "cmv.tar.bz2", files))


def test_an_unsafe_archive_gives_nothing(tmp_path):
    source = form_source(write_tar(tmp_path / "cmv.tar.bz2", {**tan_files(), "../late": b""}))
    with pytest.raises(IntegrityFailure):
        next(read(inputs(source), source))


def test_convokit_as_zip_and_folder(tmp_path):
    nested = {f"winning-args-corpus/{name}": content for name, content in convokit_files().items()}
    zipped = found_at(write_zip(tmp_path / "corpus.zip", nested))
    assert raws(zipped) == raws(found_at(write_tree(tmp_path / "corpus", convokit_files())))
    assert {place.file for place, _ in zipped} == {"corpus.zip:winning-args-corpus/utterances.jsonl"}
    assert sum(bool(row.given) for row in replies(zipped).values()) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"conversations.json": b"{"}, "not valid JSON"),
        ({"conversations.json": b"[]"}, "no conversations.json"),
        ({"more/utterances.jsonl": b"{}"}, "2 files utterances.jsonl"),
    ],
)
def test_a_broken_corpus_is_named(changes, words, tmp_path):
    with pytest.raises(DataFailure, match=words):
        found_at(write_zip(tmp_path / "corpus.zip", convokit_files() | changes))


def test_api_files_shp_and_pairs(tmp_path):
    api = write_tree(tmp_path / "api", {"a": json.dumps({"data": tree()}).encode(), "b": b'{"data": []}'})
    assert len(replies(found_at(api))) == 4
    shp = write_tree(tmp_path / "shp", {part: ndjson([shp_row()]) for part in ("test.json", "train.json")})
    assert len(found_at(shp)) == 6 and reasons(found_at(shp)) == ["repeated"] * 3
    pairs = write_tree(tmp_path / "pairs", {"a": ndjson(PAIR_ROWS), "b": json.dumps(PAIR_ROWS).encode()})
    assert len(replies(found_at(pairs))) == len(replies(found_at(pairs / "a"))) == 5


def broken(content, word):
    """Content in which a word has a Windows-1252 apostrophe."""
    assert content.count(word) > 0
    return content.replace(word, word[:1] + b"\x92" + word[1:])


FORMS_WITH_ONE_BROKEN_ROW = {
    "tan": ndjson([tan_thread(), tan_thread(id="two", selftext="odd")]),
    "shp": ndjson([shp_row(), shp_row(post_id="two", history="odd")]),
    "lines": ndjson([PAIR_ROWS[0], {"prompt": "odd", "chosen": "a", "rejected": "b"}]),
    "json": json.dumps([PAIR_ROWS[0], {"prompt": "odd", "chosen": "a", "rejected": "b"}]).encode(),
    "csv": b"prompt,chosen,rejected\nNaps?,a,b\nodd,a,b\n",
    "arcticshift": json.dumps({"data": tree()}).encode() + json.dumps({"data": [{"body": "odd"}]}).encode(),
}


@pytest.mark.parametrize("form", FORMS_WITH_ONE_BROKEN_ROW)
def test_rows_whose_bytes_are_no_utf_8_are_repaired_and_counted_once_in_every_form(form, tmp_path):
    content = FORMS_WITH_ONE_BROKEN_ROW[form]
    (tmp_path / "file").write_bytes(content)
    assert not any(place.repaired for place, _ in found_at(tmp_path / "file"))
    (tmp_path / "file").write_bytes(broken(content, b"odd"))
    found = found_at(tmp_path / "file")
    assert sum(place.repaired for place, _ in found) == 1
    assert form == "arcticshift" or "o\ufffddd" in repr(found)


def test_convokits_repaired_utterances_are_counted(tmp_path):
    files = convokit_files()
    files["utterances.jsonl"] = broken(files["utterances.jsonl"], b"number t1_plain")
    found = found_at(write_tree(tmp_path / "corpus", files))
    assert [raw.id for place, raw in found if place.repaired] == ["t1_plain"]


def test_columns_that_are_not_used_are_noted_once(tmp_path, capsys):
    rows = [{**row, "author": "nobody"} for row in PAIR_ROWS]
    (tmp_path / "pairs").write_text(json.dumps(rows))
    found_at(tmp_path / "pairs")
    assert capsys.readouterr().err == "extract: pairs: not used: ['author']\n"
