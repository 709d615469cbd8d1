import re

from persuasion.datasheet import sheet
from persuasion.extraction import extract, measured
from tests.builders import AT, awarded_thread, ndjson, raw_comment, raw_submission, source
from tests.test_same_bytes import DUMP


def sheet_of(folder, content, **changes):
    (folder / "dump.ndjson").write_bytes(content)
    extracted = extract(source(folder / "dump.ndjson", **changes), folder / "threads")
    return extracted, sheet(extracted, subreddit="changemyview", fingerprint="0123abcd", mask=changes.get("mask", True))


def table(page, title):
    """The rows of the table under a title, as texts."""
    part = page.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [row.strip("| ").split(" | ") for row in part.splitlines() if row.startswith("|")][2:]


def test_its_counts_are_the_metrics(tmp_path):
    extracted, page = sheet_of(tmp_path, DUMP)
    figures = measured(extracted)
    fates = {name: int(count) for name, count in table(page, "Lines")}
    assert fates.pop("lines") == figures["lines"] == sum(fates.values())
    assert {name: int(count) for name, count in table(page, "Refused")} == {
        name: count for name, count in figures["refused_by"].items() if count
    }
    deltas = {name: int(count) for name, count in table(page, "Deltas")}
    assert (deltas["all"], deltas["confirmed"]) == (figures["deltas"], figures["deltas_by"]["confirmed"])


def test_it_tells_the_period_by_year(tmp_path):
    post = {"id": "late", "link_id": "t3_late"}
    late = [raw_submission(id="late", created_utc=1_577_836_799), raw_comment(**post, created_utc=1_577_836_800)]
    _, page = sheet_of(tmp_path, ndjson([*awarded_thread(), *late]))
    assert table(page, "Period") == [["2014", "1", "4"], ["2019", "1", "0"], ["2020", "0", "1"]]
    assert "From 2014 to 2020." in page


def test_it_holds_numbers_and_no_text_of_anybody(tmp_path):
    first = sheet_of(tmp_path, ndjson([*awarded_thread(), raw_comment(body="A shy wombat.", author="quokka")]))[1]
    assert not any(word in first for word in ("wombat", "quokka", "challenger", "Naps", " u_"))
    assert str(tmp_path) not in first and not re.search(r"20[2-9]\d-\d\d", first)
    assert sheet_of(tmp_path, ndjson([raw_comment(body="B", author="x"), *awarded_thread()]))[1] == first
    assert "key 0123abcd" in first


def test_it_says_whether_texts_are_masked_and_what_is_none(tmp_path):
    _, page = sheet_of(tmp_path, ndjson([raw_submission(created_utc=AT)]), mask=False)
    assert "are not masked" in page
    assert "## Refused\n\nNone." in page
