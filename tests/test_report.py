import hashlib
import os
import re
import subprocess
import sys
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from persuasion import baselines, comparisons, inert, lineage, report
from persuasion.advice import advice, headline
from persuasion.config import load_params
from persuasion.contents import Inputs
from persuasion.examples import quoting
from persuasion.findings import findings
from persuasion.records import Reply
from persuasion.seen import WITHHELD
from stages import report as stage

ROOT = Path(__file__).parents[1]
HOSTILE = (
    "<script>alert(1)</script> {{7*7}} {% raw %} </textarea></title> [x](javascript:alert(1)) | a | b |"
    "\x1b[31mred\x1b[0m <img src=x onerror=alert(1)> https://evil.example/ www.evil.example ![i](http://evil.example/p.png)"
    " \u202eabc\x00 `c`"
    "\n# heading\n- item\n1. one\n> quote\n    code\n<!-- x\n***\n=== & &lt; \\"
)
EVALUATE = {
    "reward_accuracy": 0.87,
    "reward_accuracy_low": 0.83,
    "reward_accuracy_high": 0.91,
    "reference_accuracy": 0.51,
    "reference_accuracy_low": 0.45,
    "reference_accuracy_high": 0.57,
    "pairs": 240,
    "threads": 130,
    "test_split": 0,
    "rewards": {"chosen": -0.4, "rejected": -1.9},
    "displacement_rate": 0.7,
    "baseline": {"length": {"accuracy": 0.5, "accuracy_low": 0.44, "accuracy_high": 0.56}, "tfidf": {"accuracy": 0.9}},
    "difference": {
        "reference": {"mean": 0.36, "low": 0.3, "high": 0.42, "wins": 99, "losses": 9, "p_holm": 0.0001},
        "length": {"mean": 0.37, "low": 0.3, "high": 0.44},
        "tfidf": {"mean": -0.03, "low": -0.06, "high": 0.01},
    },
    "length": {
        "spearman_reward": 0.1,
        "accuracy_equal": 0.84,
        "accuracy_equal_low": 0.8,
        "accuracy_equal_high": 0.88,
        "bins": {"1": {"words_low": 0, "words_high": 9, "accuracy": 0.8, "pairs": 30}},
    },
    "slices": {"topic": {"1": {"accuracy": 0.7, "pairs": 40, "reference_accuracy": 0.5}}, "year": None},
    "by_kind": {"style": {"accuracy": 0.95, "accuracy_low": 0.9, "accuracy_high": 0.99, "pairs": 120}},
}


def reply(
    text: str = "Fair point, and yet.", prompt: str = "I think naps are a waste.", chosen: str = "Consider rest."
) -> Reply:
    return Reply(
        thread_id="t3_abc",
        prompt=prompt,
        text=text,
        base_text=text,
        chosen=chosen,
        seed=1,
        stopped=True,
        base_stopped=False,
        crisis=False,
    )


def preview(text: str) -> dict[str, object]:
    """A line of preview.jsonl whose texts are ``text``; nothing was made visible in it."""

    def run(role: str, scored: bool) -> dict[str, object]:
        return {"role": role, "scored": scored, "tokens": 2, "texts": [text, " end"]}

    frame = {"role": "frame", "scored": False, "tokens": 1, "texts": ["<|user|>"]}
    prompt = [frame, run("prompt", False), run("cut", False)]
    ids = {"pair_id": "p_1", "thread_id": "t3_abc", "chosen_id": "t1_a", "rejected_id": "t1_b", "split": "validation"}
    return {**ids, "unfit": "", "prompt": prompt, "chosen": [run("chosen", True)], "rejected": [run("rejected", True)]}


def inputs(
    replies: list[Reply], *, public: bool = False, synthetic: bool = True, evaluate: object = EVALUATE
) -> Inputs:
    params = load_params(ROOT / "params.yaml")
    points = [
        {
            **{"epoch": e / 4, "loss": 0.7 - e / 20, "reward_margin": e / 3, "reward_accuracy": 0.5 + e / 20},
            **{
                f"{stem}_{side}": 2 - e * sign / 9
                for stem in ("rewards", "perplexity")
                for side, sign in (("chosen", 1), ("rejected", 3))
            },
        }
        for e in range(9)
    ]
    return Inputs(
        metrics={
            "evaluate": evaluate,
            "extract": {"lines": 10, "refused_by": {"bad|json<": 2}},
            "generate": {"safety": {"insult": 0.0}},
        },
        tables={
            "training": points,
            "validation": points[::4],
            "reliability": [
                {"predicted": 0.6, "observed": 0.7, "pairs": 10},
                {"predicted": 0.9, "observed": 0.8, "pairs": 9},
            ],
            "margins": [{"low": -1.0, "high": 0.0, "pairs": 3}, {"low": 0.0, "high": 1.0, "pairs": 16}],
            "rewards": [{"low": n - 2.0, "high": n - 1.0, "chosen": n, "rejected": 3 - n} for n in range(4)],
            "scatter": [{"words": n - 9, "margin": n / 9 - 1} for n in range(19)],
            "lengths": [{"low": -40.0, "high": 0.0, "pairs": 9}, {"low": 0.0, "high": 40.0, "pairs": 11}],
            "tokens": [
                {"low": 8.0 * n, "high": 8.0 * n + 8, "prompt": n, "chosen": 3 - n, "rejected": 1} for n in range(4)
            ],
        },
        undefined={"evaluate.accuracy_length_matched": "no pair is of like length, it says"},
        slices={("topic", "1"): "dogs cats"},
        previews=[preview(reply.prompt) for reply in replies],
        replies=replies,
        quoting=frozenset(),
        made=[("models/adapter (md5 in dvc.lock)", "0123456789abcdef.dir")],
        params=replace(params, report=replace(params.report, public=public)),
        synthetic=synthetic,
    )


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_hostile_text_is_inert_in_html() -> None:
    page, plain = (Page(report.html(inputs([reply(t, t, t)]))) for t in (HOSTILE, "plain"))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert "<script>alert(1)</script> {{7*7}}" in page.words and "\x1b" not in page.words and "\u202e" not in page.words
    for tag, attributes in page.tags:
        assert tag not in {"script", "iframe", "object", "embed", "form", "link"}
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/svg+xml;base64,"))


def test_the_page_forbids_everything_but_its_own_style_and_figures() -> None:
    metas = [attributes for tag, attributes in Page(report.html(inputs([]))).tags if tag == "meta"]
    policy = [m["content"] for m in metas if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_hostile_text_is_inert_in_markdown() -> None:
    text, plain = (report.markdown(inputs([reply(t, t, t)])) for t in (HOSTILE, "plain"))
    assert not re.search(r"<[a-zA-Z/!]|\{\{|\{%|\x1b|\x00|\u202e|://|\bwww\.", text)
    assert not re.search(r"(?<!\\)[\[\]`|]", "\n".join(line for line in text.split("\n") if line.startswith("> ")))
    assert re.findall(r"^#+ ", text, re.M) == re.findall(r"^#+ ", plain, re.M)
    widths = {line.replace("\\|", "").count("|") for line in text.split("\n") if "bad" in line}
    assert widths == {3}


def test_one_line_of_markdown_reads_as_written() -> None:
    assert inert.markdown("a_b *c* | <d> & [e](f)") == r"a\_b \*c\* \| &lt;d&gt; &amp; \[e\](f)"
    assert str(inert.quoted("1. x\n- x\n\n1.5 a")) == "> &#8203;1. x\n> &#8203;- x\n>\n> &#8203;1.5 a"


def test_public_reports_withhold_people_and_copies_of_them() -> None:
    real = reply("My own words here.", "A person wrote this post.", "A person answered it.")
    copied = reply(
        "As said: " + " ".join(f"w{i}" for i in range(15)), " ".join(f"w{i}" for i in range(20)), "Another answer."
    )
    for form in (report.html, report.markdown):
        text = form(inputs([real, copied], public=True, synthetic=False))
        assert (
            "person wrote" not in text and "person answered" not in text and "w12" not in text and "t3_abc" not in text
        )
        assert "My own words here" in text and WITHHELD.strip("[]") in text
        assert "person wrote" in form(inputs([real], public=True, synthetic=True))
        recited = replace(inputs([real], public=True, synthetic=False), quoting=frozenset({real.text}))
        assert "My own words" not in form(recited)


def test_a_reply_that_recites_any_pair_is_found() -> None:
    said = "one two three four five six seven eight"
    assert quoting([reply(f"So {said} nine."), reply("Mine.")], ["x", f"Zero {said} ten"]) == {f"So {said} nine."}


def test_real_posts_are_withheld_unless_asked_for() -> None:
    assert load_params(ROOT / "params.yaml").report.public


def test_the_page_says_what_it_is_made_from_how_to_find_it_and_what_to_do() -> None:
    page, text = Page(report.html(inputs([]))).words, report.markdown(inputs([]))
    for words in (page, text):
        assert "git log --oneline -S0123456789abcdef.dir -- dvc.lock" in words
        assert (
            "chosen likelihood down 0.8 nats" in words
            and "displacement; try a smaller train.learning" in words.replace("\\", "")
        )
        assert "1: dogs cats" in words and "no pair is of like length, it says" in words
    shown = lineage.settings(inputs([]).params)
    assert all(name in page for name in shown) and lineage.settings_hash(shown) in page and str(ROOT) not in page


@pytest.mark.parametrize(
    ("rewards", "said"),
    [
        ((0.4, -1.0), "as hoped"),
        ((0.4, 0.1), "both became likelier"),
        ((0.1, 0.4), "wrong way round"),
        ((-1.0, -0.5), "wrong way round"),
        ((-0.5, -1.0), "displacement; try"),
        ((None, -1.0), ""),
    ],
)
def test_the_headline_calls_it_what_it_is(rewards: tuple[float | None, float], said: str) -> None:
    line = headline({"evaluate": {"rewards": dict(zip(("chosen", "rejected"), rewards, strict=True))}}, 0.5)
    assert said in line and bool(line) == bool(said)


def test_advice_comes_with_the_figure_that_calls_for_it() -> None:
    good = {"evaluate": {"reward_accuracy_low": 0.6, "temperature": 1.1}, "generate": {"eos_rate": 1.0}}
    assert advice(good, [{"loss": 0.5}, {"loss": 0.45}]) == []
    bad = {
        "evaluate": {"reward_accuracy_low": 0.4, "temperature": 3.0, "difference": {"length": {"low": -0.1}}},
        "generate": {"eos_rate": 0.1, "copy_rate": 0.9, "safety": {"insult": 0.1, "unsupported_claim": 0.1}},
        "pair": {"audit": {"surface_accuracy": 0.9}},
    }
    said = advice(bad, [{"loss": 0.3}, {"loss": 0.9}])
    assert len(said) == 8 and "insult" in said[-1] and "unsupported" not in said[-1]


def test_pairs_are_shown_token_by_token_with_marks_besides_colours() -> None:
    long = preview("A person's post")
    long["prompt"] = [{"role": "prompt", "scored": False, "tokens": 900, "texts": [f"w{n}\n" for n in range(900)]}]
    page = report.html(replace(inputs([]), previews=[preview("nap"), long, {**long, "unfit": "empty_prompt"}]))
    tags = [attributes.get("class") for tag, attributes in Page(page).tags if tag == "span"]
    assert {"frame", "prompt", "cut", "chosen scored", "rejected scored"} <= set(tags)
    words = Page(page).words
    assert "Prompt: 3 tokens, 2 cut" in words and "… 540 more …" in words and "(dropped: empty prompt)" in words
    assert "w299↵\n" in words and "w300" not in words and "w899" in words
    text = report.markdown(replace(inputs([]), previews=[preview("nap")]))
    assert "**Prompt**: 3 tokens, 2 cut" in text and "&lt;\\|user\\|&gt;│nap│ end│⟦nap│ end⟧" in text


def test_a_preview_of_people_is_withheld_in_public_but_its_counts_stay() -> None:
    one = replace(inputs([], public=True, synthetic=False), previews=[preview("A person's post")])
    for form in (report.html, report.markdown):
        text = form(one)
        assert "person&#39;s post" not in text and "person's post" not in text and "p_1" not in text
        assert WITHHELD.strip("[]") in text and "2 cut" in text and "user" in text


def test_figures_are_drawn_and_told_when_missing() -> None:
    page = Page(report.html(inputs([])))
    drawn = [a["src"] or "" for tag, a in page.tags if tag == "img"]
    assert len(drawn) == 13 and all(b64decode(src.split(",")[1]).lstrip().startswith(b"<?xml") for src in drawn)
    bare = replace(inputs([]), metrics={}, tables={}, previews=[])
    empty = Page(report.html(bare))
    assert not [tag for tag, _ in empty.tags if tag == "img"] and "No figure of" in empty.words
    assert "–" in empty.words and "not measured in this run" in empty.words
    assert "None" not in re.sub(r"None[.:]", "", empty.words + report.markdown(bare)) and "nan" not in empty.words


def test_the_same_run_gives_the_same_bytes_whatever_the_hash_seed() -> None:
    code = (
        "import hashlib; from tests import test_report as t; from persuasion import report as r;"
        "i = t.inputs([t.reply()] * 3); print(hashlib.sha256((r.html(i) + r.markdown(i)).encode()).hexdigest())"
    )
    digests = {
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
                       capture_output=True, text=True, check=True).stdout.strip()
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }  # fmt: skip
    assert len(digests) == 1 and len(digests.pop()) == hashlib.sha256().digest_size * 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "prefers the comment that earned the delta in 87.0% of 240 pairs"),
        ({}, "does better than picking the longer comment"),
        ({}, "cannot be told apart from a bag-of-words model"),
        ({}, "Likelihood displacement"),
        ({}, "did not look at the test pairs"),
        ({"rewards": {"chosen": 0.3}}, "became more likely on average"),
        ({"test_split": 1}, "These are the test pairs"),
        ({"difference": {"length": {"mean": -0.2, "low": -0.3, "high": -0.1}}}, "does worse than picking the longer"),
        ({"difference": {}}, "cannot be compared with picking the longer comment"),
        ({"reward_accuracy": None}, "No pair could be judged"),
        ({"reward_accuracy_low": None}, "undefined: fewer than two posts"),
    ],
)
def test_findings_claim_no_more_than_the_intervals(change: dict[str, object], said: str) -> None:
    assert said in " ".join(findings({**EVALUATE, **change}))


def test_a_missing_metric_stops_the_stage_before_it_writes(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "stages.report"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 3 and "metrics/extract.json is missing" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("body", ["exit 3", "sleep 60", None])
def test_a_mirror_that_fails_hangs_or_is_absent_costs_one_line(
    body: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    python = tmp_path / "python"
    if body:
        python.write_text(f"#!/bin/sh\nexec {body}\n" if "sleep" in body else f"#!/bin/sh\n{body}\n")
        python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(stage, "MIRROR_SECONDS", 0.5)
    stage._mirror()
    assert capfd.readouterr().err.count("\n") == 1


def test_every_rival_stands_on_the_page_and_what_is_undefined_says_why() -> None:
    assert list(comparisons.BASELINES) == list(baselines.BASELINES)
    odd = {"reward_accuracy": None, "slices": {"topic": None}}
    none = {"eos_rate": None, "safety": {"insult": None}, "relevance": {"own": None}, "replies": 0}
    why = {
        "evaluate.reward_accuracy": "a value in it is not finite",
        "evaluate.slices.topic": "too few posts to tell topics apart",
        "generate.eos_rate": "no replies at all",
        "generate.safety.insult": "nothing to search",
    }
    made = inputs([])
    made = replace(made, metrics={**made.metrics, "evaluate": odd, "generate": none}, undefined=why)
    for text in (Page(report.html(made)).words, report.markdown(made)):
        assert all(reason in text for reason in why.values())
        assert "preferred (win rate)" not in text


def test_what_a_judge_says_stands_on_the_page_with_its_position_bias_as_a_proxy() -> None:
    made = inputs([])
    judge = {"win_rate": 0.625, "win_rate_low": None, "win_rate_high": None, "first_rate": 0.9, "consistency": 0.1875}
    told = {"judge_proxy": judge, "classifier_proxy": {"toxic": 0.125}}
    why = {f"generate.judge_proxy.win_rate_{end}": "fewer than two posts" for end in ("low", "high")}
    made = replace(made, metrics={**made.metrics, "generate": told}, undefined=why)
    for text in (Page(report.html(made)).words, report.markdown(made)):
        assert all(f"{share}%" in text for share in ("62.5", "90.0", "18.8", "12.5"))
        assert "a proxy, not a person" in text and "fewer than two posts" in text and "called toxic" in text
