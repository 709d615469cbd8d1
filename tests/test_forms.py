import bz2
import gzip
import json

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from persuasion.errors import DataFailure
from persuasion.forms import TITLES, _form_of, inputs
from tests.builders import awarded_thread, ndjson, raw_comment, raw_submission
from tests.forms import (
    PAIR_ROWS,
    convokit_files,
    deep_tree,
    form_source,
    listing,
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

DUMP = ndjson(awarded_thread())
CSV = b"prompt,chosen,rejected\n{a,b,c\n"
CONTENTS = [
    ("dump", DUMP),
    ("dump", b"broken\n\n" + DUMP),
    ("dump", b"[1,2]\n" + DUMP),
    ("dump", ndjson([{"strange": 1}])),
    ("dump", ndjson([raw_submission(comments=5)])),
    ("dump", ndjson([{"subreddit": "tea", "body": "x" * 2_000_000}])),
    ("arcticshift", json.dumps({"data": awarded_thread()}).encode()),
    ("arcticshift", json.dumps({"data": tree()}, indent=2).encode()),
    ("arcticshift", deep_tree(5000).encode()),
    ("arcticshift", json.dumps([listing([raw_submission()]), listing(tree())]).encode()),
    ("arcticshift", json.dumps(awarded_thread()).encode()),
    ("arcticshift", b'{"data": null, "error": "Timeout"}'),
    ("tan", ndjson([tan_thread()])),
    ("tan", ndjson([tan_thread(selftext_html="x" * 400_000)])),
    ("tan", ndjson([tan_pair()])),
    ("tan", b"{\n" + ndjson([tan_post()])),
    ("shp", ndjson([shp_row()])),
    ("pairs", b"\xef\xbb\xbf" + json.dumps(PAIR_ROWS).encode()),
    ("pairs", ndjson(PAIR_ROWS)),
    ("pairs", CSV),
]


def forms_at(path, **changes):
    return [(input_.form, input_.name, input_.kind) for input_ in inputs(form_source(path, **changes))]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, zstandard.ZstdCompressor().compress])
@pytest.mark.parametrize(("form", "content"), CONTENTS)
def test_a_file_is_told_by_its_content(form, content, pack, tmp_path):
    (tmp_path / "name.csv").write_bytes(pack(content))
    assert forms_at(tmp_path / "name.csv") == forms_at(tmp_path) == [(form, "name.csv", "file")]
    assert forms_at(tmp_path, kind=form) == [(form, "name.csv", "file")]


@pytest.mark.parametrize(
    ("content", "detected"),
    [
        (b"", "an empty file"),
        (b" \n\n", "blank lines only"),
        (b"id,body\n1,hello\n", "CSV or TSV"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"\x7fELF\0\1\2", "binary data"),
        (b"<html>", "HTML or XML"),
        (b"hello\n", "plain text"),
        (b"%PDF-1.7", "a PDF"),
        (b"\xff\xfe{\0", "UTF-16 text"),
        (gzip.compress(gzip.compress(DUMP)), "gzip, compressed twice"),
    ],
)
def test_what_is_no_form_is_named(content, detected, tmp_path):
    (tmp_path / "all.ndjson").write_bytes(content)
    with pytest.raises(DataFailure, match=r"all\.ndjson is not a dump file") as failure:
        inputs(form_source(tmp_path))
    assert detected in failure.value.why


@pytest.mark.parametrize("kind", TITLES)
@pytest.mark.parametrize(("form", "content"), CONTENTS)
def test_another_form_than_the_one_asked_for_is_named(form, content, kind, tmp_path):
    (tmp_path / "file").write_bytes(content)
    if form != kind:
        with pytest.raises(DataFailure, match=f"is not {TITLES[kind]}") as failure:
            inputs(form_source(tmp_path / "file", kind=kind))
        assert f"detected {TITLES[form]}" in failure.value.why


def test_an_archive_is_told_by_what_it_holds(tmp_path):
    assert forms_at(write_tar(tmp_path / "a", tan_files())) == [("tan", "a", "tar")]
    assert forms_at(write_zip(tmp_path / "b", tan_files())) == [("tan", "b", "zip")]
    nested = {f"winning-args-corpus/{name}": content for name, content in convokit_files().items()}
    assert forms_at(write_zip(tmp_path / "c", nested)) == [("convokit", "c", "zip")]
    for write, words in ((write_tar, "a tar archive"), (write_zip, "a zip archive")):
        with pytest.raises(DataFailure) as failure:
            inputs(form_source(write(tmp_path / "d", {"dump.ndjson": DUMP})))
        assert words in failure.value.why


def test_a_corpus_folder_is_one_input(tmp_path):
    assert forms_at(write_tree(tmp_path / "tan", tan_files())) == [("tan", "", "folder")]
    corpus = write_tree(tmp_path / "convokit", convokit_files())
    assert forms_at(corpus) == forms_at(corpus, kind="convokit") == [("convokit", "", "folder")]
    with pytest.raises(DataFailure, match="is not a dump file"):
        inputs(form_source(corpus, kind="dump"))
    with pytest.raises(DataFailure, match="only a part"):
        inputs(form_source(corpus / "utterances.jsonl"))


def test_a_folder_of_dumps_keeps_its_files_and_not_dvcs_notes(tmp_path):
    files = {"b.ndjson": DUMP, "a.json": json.dumps({"data": tree()}).encode(), ".gitignore": b"/a", "truth/x": b"\0"}
    write_tree(tmp_path, files | {"b.ndjson.dvc": b"outs:\n- md5: 0\n"})
    assert forms_at(tmp_path) == [("arcticshift", "a.json", "file"), ("dump", "b.ndjson", "file")]
    (tmp_path / "other.dvc").write_bytes(DUMP)
    assert ("dump", "other.dvc", "file") in forms_at(tmp_path)


def test_forms_do_not_mix(tmp_path):
    write_tree(tmp_path, {"a": DUMP, "b": CSV})
    with pytest.raises(DataFailure, match="several forms"):
        inputs(form_source(tmp_path))


def test_nothing_is_a_named_failure(tmp_path):
    with pytest.raises(DataFailure, match="absent does not exist"):
        inputs(form_source(tmp_path / "absent"))
    with pytest.raises(DataFailure, match="holds no files"):
        inputs(form_source(tmp_path))


def test_a_dump_that_is_cut_later_is_still_a_dump(tmp_path):
    content = zstandard.ZstdCompressor().compress(DUMP * 20_000)
    (tmp_path / "cut.zst").write_bytes(content[:-20])
    assert forms_at(tmp_path) == [("dump", "cut.zst", "file")]


@given(st.text() | st.sampled_from([content.decode() for _, content in CONTENTS[-8:]]), st.integers(0, 500))
def test_any_beginning_has_a_form_or_none(text, cut):
    assert _form_of(text[:cut])[0] in ("", *TITLES)


@pytest.mark.parametrize("record", [raw_comment(), raw_submission()])
def test_a_lone_record_is_a_dump(record, tmp_path):
    (tmp_path / "file").write_bytes(json.dumps(record, indent=1).encode())
    assert forms_at(tmp_path) == [("dump", "file", "file")]


def test_the_monthly_dumps_are_read_as_their_torrent_lays_them_out(tmp_path):
    write_tree(tmp_path, {"comments/RC_2015-01": DUMP, "submissions/RS_2015-01": DUMP, "sample/x": DUMP})
    assert forms_at(tmp_path) == [
        ("dump", "comments/RC_2015-01", "file"),
        ("dump", "submissions/RS_2015-01", "file"),
    ]


def test_a_link_that_leads_nowhere_is_no_shorter_dump(tmp_path):
    (tmp_path / "a").write_bytes(DUMP)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert len(forms_at(tmp_path)) == 2
    (tmp_path / "c").symlink_to(tmp_path / "gone")
    with pytest.raises(DataFailure, match="c leads nowhere"):
        inputs(form_source(tmp_path))
