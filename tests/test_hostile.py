"""Nasty strings as posts, comments and names, through every place that we write: inert, and unchanged where due."""

import csv
import io
import json
import re
from collections import Counter
from dataclasses import replace
from unicodedata import category

import pytest
import yaml

from persuasion import paircard, report
from persuasion.config import load_params
from persuasion.encoding import encode_pair, frame
from persuasion.exchange import FORMS, written
from persuasion.inert import clean
from persuasion.lab import preview as terminal
from persuasion.pairing import build_pairs
from persuasion.preview import previews
from persuasion.records import SPLITS
from persuasion.themes import themes
from tests import tiny
from tests.builders import AT, awarded_thread, ndjson, talk_of
from tests.extracting import read_files
from tests.hostile import CONTROL, EVERYDAY, KINDS, STRINGS
from tests.test_report import Page, inputs, reply

PARAMS = load_params()
PROSE = "This is a plain sentence of more than ten words that stands in front of number"


def thread(number, text):
    """A thread in which everybody says ``text`` behind some prose; OP and the one who loses bear it as names."""
    records = awarded_thread(f"p{number}")
    post, won, lost, thanks, bot = records
    said = f"{PROSE} {number}.\n\nIt is {text} here"
    post |= {"title": f"CMV: {number} {text}", "selftext": said, "author": f"op{text}"}
    won |= {"body": f"I would say that {said}"}
    other = f"My neighbour slept in May and missed the whole evening, the tea, the cake and the dog, as {text} shows"
    lost |= {"body": other, "author": f"who{text}"}
    thanks |= {"author": f"op{text}", "created_utc": AT + 100}
    return [post, won, lost, thanks, bot]


@pytest.fixture(scope="module")
def found():
    """What extraction makes of a thread for every string; masking is off, so that texts stay what they were."""
    records = [record for number, text in enumerate(STRINGS) for record in thread(number, text)]
    return read_files(ndjson(records), mask=False, max_line_bytes=4 << 20)


@pytest.fixture(scope="module")
def drafted(found):
    params = replace(PARAMS.pairs, min_words=5, max_words=10**6, max_prompt_words=10**6, max_per_author=None)
    return build_pairs(talk_of(found.submissions, found.comments), params)[0]


def repaired(text):
    """As every reader gives it: a surrogate without its other half is no character."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def test_there_are_many_and_no_two_alike():
    assert len(STRINGS) == len(set(STRINGS)) >= 250


def test_posts_comments_and_authors_become_rows_and_pairs(found, drafted):
    assert found.unaccounted == 0 and not found.refusals
    assert len(found.submissions) == len(STRINGS) and len(found.comments) == 4 * len(STRINGS)
    bodies = found.by_id
    for number, text in enumerate(STRINGS):
        assert bodies[f"t1_p{number}a"].body.endswith(f"It is {repaired(text)} here"), text[:40]
    assert found.metrics["deltas"] == len(STRINGS)
    names = {row.author for row in (*found.submissions, *found.comments)}
    assert all(re.fullmatch(r"u_[0-9a-f]+", name) for name in names)


def test_what_pairs_hold_is_plain_and_says_the_same(drafted):
    pairs = {pair.thread_id: pair for pair in drafted}
    assert len(pairs) > 0.8 * len(STRINGS)
    for pair in pairs.values():
        for text in (pair.prompt, pair.chosen, pair.rejected):
            assert not {one for one in text if category(one) in ("Cc", "Cs")} - {"\n"}
            assert not set(text) & set("\u202e\u2066\u2067\u200b\ufeff")
    numbers = {text: number for number, text in enumerate(STRINGS)}
    for text in KINDS["injections"]:
        pair = pairs.get(f"t3_p{numbers[text]}")  # one asks for a delta, and goes as if it told its verdict
        if pair and "\n" not in text and "#" not in text:
            assert text in pair.chosen, text


def quirky():
    """Tokenizers of several kinds, and one to which the control tokens of many families are special."""
    marked = tiny.tokenizer()
    marked.add_special_tokens(
        {"additional_special_tokens": [token for token in CONTROL if token not in marked.get_vocab()]}
    )
    return {**{name: make() for name, make in tiny.QUIRKS.items()}, "many families": marked}


@pytest.mark.parametrize("name", [*tiny.QUIRKS, "many families"])
def test_no_text_becomes_a_control_token(name):
    tok = quirky()[name]
    around = frame(tok, tiny.ENCODING)
    special = set(tok.all_special_ids) - {getattr(tok, "unk_token_id", None)}
    for text in map(repaired, EVERYDAY):
        pair = tiny.pair(0, prompt=f"A nap {text} helps", chosen=f"It {text} does", rejected=f"{text} no")
        encoded = encode_pair(tok, around, pair, tiny.ENCODING)
        assert not special & set(encoded.prompt[len(around.head) : -len(around.tail)]), text
        for ids in (encoded.chosen, encoded.rejected):
            assert not special & set(ids[:-1]) and (ids[-1] == around.end or ids[-1] not in special), text


def test_the_terminal_sees_letters_only():
    tok = tiny.tokenizer()
    pairs = [
        tiny.pair(n, prompt=text, chosen=text, rejected=f"No {text}") for n, text in enumerate(map(repaired, EVERYDAY))
    ]
    shown = previews(tok, [replace(pair, pair_id=pair.pair_id + pair.prompt) for pair in pairs], tiny.ENCODING)
    lines = terminal.rendered(shown, tiny.ENCODING, 80, colours=False)
    assert not {one for one in lines if category(one) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")} - {"\n"}


def test_no_cell_of_a_spreadsheet_runs_and_all_read_back():
    texts = [repaired(text) for text in EVERYDAY]
    pairs = [tiny.pair(n, prompt=text, chosen=text, rejected=f"No {text}") for n, text in enumerate(texts)]
    guarded = Counter()
    table = "".join(written(map(FORMS["csv"].record, pairs), "csv", guarded))
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert len(rows) == len(pairs)
    for row, text in zip(rows, texts, strict=True):
        assert not row["chosen"].startswith(tuple("=+-@\t\r"))
        assert row["chosen"].removeprefix("'") == text.removeprefix("'")
    assert guarded["chosen"] == guarded["prompt"] >= 20


@pytest.mark.parametrize("form", [name for name, form in FORMS.items() if form.layout == "lines"])
def test_json_lines_hold_them_and_break_nowhere(form):
    pairs = [tiny.pair(n, prompt=text) for n, text in enumerate(map(repaired, EVERYDAY))]
    lines = "".join(written(map(FORMS[form].record, pairs), "lines", None)).splitlines()
    assert [json.loads(line) for line in lines] == [json.loads(json.dumps(FORMS[form].record(pair))) for pair in pairs]


def test_cards_keep_their_front_matter_and_their_tables(drafted):
    posts = [pair.prompt for pair in drafted] * 2
    found = themes([f"{post} nap" for post in posts], seed=1)
    figures = {name: Counter() for name in ("dropped_by", "leaks", "audit")}
    figures |= {"pairs": dict.fromkeys(SPLITS, 1), "threads": dict.fromkeys(SPLITS, 1), "words": {"prompt_mean": 1.0}}
    page = paircard.card(figures, found, PARAMS.pairs, {"train.parquet": "0"})
    _, front, body = page.split("---\n", 2)
    assert {"pretty_name", "language", "license", "tags", "configs"} < set(yaml.safe_load(front))
    assert found and not re.search(r"[<{\x1b\u202e\[]|://", body.replace("](", ""))
    rows = [
        line for line in body.partition("## Themes")[2].partition("## What")[0].splitlines() if line.startswith("|")
    ]
    assert {line.count("|") for line in rows} == {3}


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_and_its_markdown_show_them_and_do_nothing(kind):
    texts = [text[:2000] for text in KINDS[kind]]
    replies = [reply(text, text, text) for text in texts]
    shown = ["plain" if clean(text).strip() else "" for text in texts]  # what is invisible leaves no block
    hostile, plain = inputs(replies), inputs([reply(text, text, text) for text in shown])
    pages = [Page(report.html(made)) for made in (hostile, plain)]
    assert [tag for tag, _ in pages[0].tags] == [tag for tag, _ in pages[1].tags]
    assert not [name for _, attributes in pages[0].tags for name in attributes if name.startswith("on")]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", pages[0].words)
    text, other = (report.markdown(made) for made in (hostile, plain))
    assert re.findall(r"^#+ ", text, re.M) == re.findall(r"^#+ ", other, re.M)
    assert not re.search(r"<[a-zA-Z/!]|\{\{|\{%|\x1b|\x00|\u202e|://|\bwww\.", text)
