import io
import json
import os
import subprocess
import sys
from collections import Counter
from itertools import combinations
from random import Random

import pytest
import zstandard
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from persuasion.config import Sample
from persuasion.files import digest
from persuasion.grammar import IDEAL_ACCURACY, RELATION, STYLE
from persuasion.records import Truth
from persuasion.sample import COMMENTS, SUBMISSIONS, TRUTH, build_dump, discussions, write_sample
from persuasion.tables import read_rows

THREADS = 700


@pytest.fixture(scope="module")
def dump():
    return build_dump(1, THREADS)


@pytest.fixture(scope="module")
def talks():
    return list(discussions(1, 1200))


@pytest.fixture(scope="module")
def pairs(talks):
    """(kind, chosen, rejected) as `pair` draws them: an awarded comment against others that were read."""
    rng, found = Random(7), []
    for talk in talks:
        others = [remark for remark in talk.remarks if remark.early and not remark.delta]
        for chosen in talk.remarks:
            if chosen.delta:
                found += [(talk.kind, chosen, other) for other in rng.sample(others, min(2, len(others)))]
    return found


def lines_of(path):
    reader = zstandard.ZstdDecompressor().stream_reader(path.open("rb"))
    return io.TextIOWrapper(reader, encoding="utf-8").read().splitlines()


def wins(values):
    return sum(1.0 if value > 0 else 0.5 * (value == 0) for value in values) / len(values)


def test_same_seed_gives_the_same_bytes_whatever_the_hash_seed(tmp_path):
    write_sample(Sample(seed=3, threads=30), tmp_path / "here")
    code = (
        "import sys; from pathlib import Path; from persuasion.config import Sample;"
        "from persuasion.sample import write_sample; write_sample(Sample(seed=3, threads=30), Path(sys.argv[1]))"
    )
    for hash_seed in ("0", "1"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-c", code, tmp_path / hash_seed], check=True, env=environment)
        assert digest(tmp_path / hash_seed) == digest(tmp_path / "here")
    write_sample(Sample(seed=4, threads=30), tmp_path / "other")
    assert digest(tmp_path / "other") != digest(tmp_path / "here")


def test_a_thread_does_not_depend_on_how_many_follow():
    few, many = build_dump(2, 10), build_dump(2, 20)
    assert [line for line in many.comments if line in few.comments] == few.comments
    assert list(discussions(2, 10)) == list(discussions(2, 20))[:10]


def test_only_the_torn_lines_fail_to_parse(tmp_path):
    written = write_sample(Sample(seed=1, threads=40), tmp_path / "raw")
    assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == [COMMENTS, SUBMISSIONS, "truth"]
    torn = 0
    for name, rows in ((SUBMISSIONS, written.submissions), (COMMENTS, written.comments)):
        parsed = []
        for line in lines_of(tmp_path / "raw" / name):
            try:
                parsed.append(json.loads(line))
            except ValueError:
                torn += 1
        assert parsed == rows
    assert torn == 3
    assert len(read_rows(tmp_path / "raw" / TRUTH, Truth)) == len(written.truth)


def test_no_two_threads_read_alike(talks):
    for texts in ([t.claim for t in talks], [t.body for t in talks], [r.text for t in talks for r in t.remarks]):
        assert len(set(texts)) == len(texts)
    shingles = []
    for talk in talks[:300]:
        words = f"{talk.claim} {talk.body}".lower().split()
        shingles.append(set(zip(words, words[1:], words[2:], strict=False)))
    assert max(len(a & b) / len(a | b) for a, b in combinations(shingles, 2)) < 0.6


def test_every_slot_is_filled_and_every_sentence_begins_and_ends_as_one(talks):
    for text in (text for talk in talks for text in (talk.body, *(remark.text for remark in talk.remarks))):
        assert not set("{}") & set(text)
        assert text[0].isupper() and text[-1] in ".?"
        assert all(sentence[0].isupper() for sentence in text.replace("\n\n", " ").replace("? ", ". ").split(". "))


def test_length_carries_no_signal(talks, pairs):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    texts = [text for talk in talks[:420] for text in (talk.claim, talk.body, *(r.text for r in talk.remarks))]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1024, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)

    def tokens(text):
        return len(tokenizer.encode(text).ids)

    def longer(measure, kinds):
        return wins([measure(c.text) - measure(r.text) for kind, c, r in pairs if kind in kinds])

    assert len(pairs) > 2000
    for kinds in ((STYLE,), (RELATION,), (STYLE, RELATION)):
        assert 0.47 <= longer(tokens, kinds) <= 0.53
        assert 0.46 <= longer(lambda text: len(text.split()), kinds) <= 0.54
        assert 0.46 <= longer(len, kinds) <= 0.54


def test_the_ideal_judge_is_as_good_as_the_docstring_says(pairs):
    by_chance = [chosen.chance - rejected.chance for _, chosen, rejected in pairs]
    assert wins(by_chance) == pytest.approx(IDEAL_ACCURACY, abs=0.02)
    for kind in (STYLE, RELATION):
        assert wins([gap for gap, pair in zip(by_chance, pairs, strict=True) if pair[0] == kind]) > 0.9


def word_distance(talks, kind):
    """Total variation between the word distributions of worthy comments and of the others."""
    counts = {True: Counter(), False: Counter()}
    for remark in (remark for talk in talks if talk.kind == kind for remark in talk.remarks):
        counts[remark.chance > 0.5].update(remark.text.lower().split())
    worthy, other = ({word: n / c.total() for word, n in c.items()} for c in counts.values())
    return sum(abs(worthy.get(word, 0) - other.get(word, 0)) for word in worthy | other) / 2


def test_words_tell_style_but_relation_needs_the_post(talks):
    assert word_distance(talks, RELATION) < 0.1 < 0.2 < word_distance(talks, STYLE)
    for talk in (talk for talk in talks if talk.kind == RELATION):
        for remark in talk.remarks:
            assert (talk.view.drawback in remark.text.lower()) == (remark.chance > 0.5)


def test_truth_knows_every_comment_that_can_be_paired(dump):
    truth = {row.comment_id: row for row in dump.truth}
    assert {row.kind for row in dump.truth} == {STYLE, RELATION}
    last_visit = Counter()
    for line in dump.comments:
        if line["author"] in authors_of(dump).get(line["link_id"], ()):
            last_visit[line["link_id"]] = max(last_visit[line["link_id"]], int(line["created_utc"]))
    pairable = 0
    for line in dump.comments:
        top = line["parent_id"] == line["link_id"] and not line["distinguished"]
        if top and int(line["created_utc"]) < last_visit[line["link_id"]]:
            pairable += 1
            assert truth[f"t1_{line['id']}"].thread_id == line["link_id"]
    assert pairable > 3 * THREADS


def authors_of(dump):
    return {f"t3_{line['id']}": (line["author"],) for line in dump.submissions if line["author"] != "[deleted]"}


def test_enough_pairs_and_a_delta_is_rare(dump, pairs, talks):
    assert 1.3 <= len(pairs) / len(talks) <= 2.2
    confirmed = [line for line in dump.comments if "1 delta awarded to" in line["body"]]
    assert 0.03 < len(confirmed) / len(dump.comments) < 0.15


FAUNA = (
    "&gt; ", "&amp;", "\u200b", "&amp;#x200B;", "_____", "Happy CMVing!*", "[removed]", "[deleted]",
    "!delta", "∆", "Δ", "&#8710;", "Delta awarded", "thanks for the delta", "(OP) has awarded",
    "Confirmed - 1 ", "Click here", "deltaboards", "DB3PARAMSSTART", "The moderators have confirmed",
    "disallowed as your", "award OP", "award yourself", "has been removed for breaking",
)  # fmt: skip


@pytest.mark.parametrize("needle", FAUNA)
def test_the_fauna_is_there(dump, needle):
    assert any(needle in line.get("body", line.get("selftext")) for line in dump.submissions + dump.comments)


def test_the_raw_form_drifts_as_in_the_dumps(dump):
    comments, submissions = dump.comments, dump.submissions
    assert {type(line["created_utc"]) for line in comments} == {str, int}
    assert {type(line["edited"]) for line in comments} >= {bool, float}
    assert any(line["score"] is None for line in comments)
    assert any("name" in line for line in comments) and any("permalink" in line for line in comments)
    assert any(line["title"].startswith("CMV: ") for line in submissions)
    assert any(line["title"].endswith("CMV") for line in submissions)
    assert any(line["distinguished"] for line in submissions)
    assert any(line["selftext"] == "[removed]" for line in submissions)
    posts, ids = {line["id"] for line in submissions}, Counter(line["id"] for line in comments)
    assert posts & set(ids)
    assert 0 < sum(count > 1 for count in ids.values()) < 30
    known = {f"t1_{name}" for name in ids} | {f"t3_{name}" for name in posts}
    assert any(line["parent_id"] not in known for line in comments)
    assert len({line["author"] for line in submissions}) > 0.9 * len(submissions)
