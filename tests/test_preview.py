import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persuasion.encoding import encode_pair, frame
from persuasion.errors import DataFailure, SurroundingsFailure, UsageFailure
from persuasion.inert import visible
from persuasion.lab import preview as terminal
from persuasion.lab import traces
from persuasion.preview import cut, kept, previews, write_previews
from persuasion.records import Pair
from persuasion.tables import write_rows
from tests import tiny
from tests.closures import ROOT
from tests.test_cli import persuasion

TOK = tiny.tokenizer()
TIGHT = replace(tiny.ENCODING, prompt_tokens=24, total_tokens=40)
HOSTILE = "\x1b[31mred\x1b]0;title\x07 \u202eabc\u2066\x00\r\x85\ud800\ufeff <|end|> 😀é\n"


def one(settings=tiny.ENCODING, tok=TOK, **texts):
    pair = tiny.pair(0, **texts)
    return previews(tok, [pair], settings)[0], encode_pair(tok, frame(tok, settings), pair, settings)


def words(runs, *roles):
    return "".join(text for run in runs if run.role in roles for text in run.texts)


@given(st.text(), st.text(), st.sampled_from([tiny.ENCODING, TIGHT]))
def test_a_preview_is_the_tokens_of_training_and_the_text_whole(post, reply, settings):
    shown, encoded = one(settings, prompt=post, chosen=reply)
    assert (kept(shown.prompt), cut(shown.prompt)) == (len(encoded.prompt), len(encoded.prompt_lost))
    assert (kept(shown.chosen), cut(shown.chosen)) == (len(encoded.chosen), len(encoded.chosen_lost))
    assert sum(run.tokens for run in shown.chosen if run.scored) == len(encoded.chosen)
    assert not any(run.scored for run in shown.prompt)
    assert shown.unfit == encoded.unfit
    if not encoded.prompt_lost:  # a cut may part a character
        assert words(shown.prompt, "prompt") == visible(post)
    if not encoded.chosen_lost:
        assert words(shown.chosen, "chosen") == visible(reply) and words(shown.chosen, "frame") == "<|end|>"


def test_every_token_has_its_role_and_its_place():
    shown, _ = one(TIGHT, prompt="One is here. Two is here. " + "three " * 30, rejected="no " * 40)
    assert [run.role for run in shown.prompt] == ["frame", "prompt", "cut", "frame"]
    assert words(shown.prompt, "prompt").endswith("here.") and words(shown.prompt, "cut").startswith(" three")
    assert [(run.role, run.scored) for run in shown.rejected] == [("rejected", True), ("cut", False)]
    assert [run.texts for run in shown.prompt if run.role == "frame"] == [("<|begin|>", "<|user|>"), ("<|assistant|>",)]


def test_spaces_and_characters_of_several_tokens_are_seen_whatever_the_tokenizer():
    shown, _ = one(tok=tiny.metaspace(), prompt="A nap helps", chosen="it helps")
    assert (
        words(shown.prompt, "prompt").strip() == "A nap helps" and words(shown.chosen, "chosen").strip() == "it helps"
    )
    shown, encoded = one(prompt="😀")
    assert shown.prompt[1].texts == ("😀",) and shown.prompt[1].tokens == len(encoded.prompt) - 3 > 1


@given(st.text() | st.just(HOSTILE))
def test_nothing_in_a_text_reaches_the_terminal(text):
    pair = replace(tiny.pair(0, prompt=text, chosen=text), pair_id=text)
    text = pair.prompt.encode("utf-8", "replace").decode()  # a tokenizer takes no lone surrogates
    shown = previews(TOK, [replace(pair, prompt=text, chosen=text)], TIGHT)
    for colours in (False, True):
        lines = terminal.rendered(shown, TIGHT, 80, colours)
        bare = re.sub(r"\x1b\[[0-9;]+m", "", lines) if colours else lines
        assert not {c for c in bare if category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")} - {"\n"}


@pytest.mark.parametrize("colours", [False, True])
@pytest.mark.parametrize("width", [40, 57, 120])
def test_lines_keep_to_the_width_and_marks_say_what_colours_say(colours, width):
    shown, _ = one(TIGHT, prompt="寝る。a\nb " * 20, chosen="x" * 300)
    lines = terminal.rendered([shown], TIGHT, width, colours).split("\n")
    bare = [re.sub(r"\x1b\[[0-9;]+m", "", line) for line in lines]
    body = [
        line for line in bare if re.match(r"[ +] (frame|prompt|chosen|rejected|cut) +\d", line) or line[:19].isspace()
    ]
    assert len(body) > 8 and all(terminal.columns(line) <= width for line in body)
    assert any(line.startswith("+ chosen ") for line in body) and any(line.startswith("  cut ") for line in body)
    assert ("│" in "".join(body)) is not colours and ("\x1b" in "".join(lines)) is colours


def test_a_written_preview_is_found_when_somebody_is_forgotten(tmp_path):
    write_previews(tmp_path / "preview.jsonl", previews(TOK, tiny.pairs(), TIGHT))
    found = traces.find(io.BytesIO((tmp_path / "preview.jsonl").read_bytes()), traces.sought(["t1_c2"]))
    assert (found.rows, found.texts, found.table) == (1, 1, True) and "p_2" in found.sought.ids


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Params, pairs and a tokenizer: neither reference nor adapter."""
    root = tmp_path_factory.mktemp("project")
    (root / "dvc.lock").touch()
    (root / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    for split in ("train", "validation"):
        rows = [replace(pair, split=split, pair_id=f"{split}_{n}") for n, pair in enumerate(tiny.pairs())]
        write_rows(root / f"data/pairs/{split}.parquet", rows, Pair, "pair_id")
    write_rows(root / "data/pairs/test.parquet", [], Pair, "pair_id")
    TOK.save_pretrained(root / "models/base")
    return root


def test_the_command_shows_pairs_before_anything_is_trained(project):
    said = persuasion(project, "preview", "pairs", "-n", "2", "--width", "100")
    assert said.returncode == 0 and not said.stderr and "\x1b" not in said.stdout
    assert (
        "Pair train_0 of train" in said.stdout and "train_2" not in said.stdout and "<|begin|>│<|user|>" in said.stdout
    )
    told = json.loads(persuasion(project / "data", "preview", "pairs", "--pair", "validation_1", "--json").stdout)
    assert [pair["split"] for pair in told["pairs"]] == ["validation"] and told["budgets"]["prompt_tokens"] == 512


def test_colours_are_for_terminals_and_those_who_ask(project):
    code = "from persuasion.lab.preview import wants_colours as w; import sys; print(w(sys.stdout, {}))"
    assert "True" in subprocess.run(["script", "-qec", f'{sys.executable} -c "{code}"', "/dev/null"],
                                    cwd=ROOT, capture_output=True, text=True, check=True).stdout  # fmt: skip
    assert not terminal.wants_colours(io.StringIO(), {})
    assert terminal.wants_colours(io.StringIO(), {"FORCE_COLOR": "1"})
    assert not terminal.wants_colours(io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"})


@pytest.mark.parametrize(
    ("changes", "failure", "says"),
    [
        ({"split": "tran"}, UsageFailure, "train, validation, test"),
        ({"pair_id": "train_11"}, UsageFailure, "did you mean train_1"),
        ({"split": "test"}, DataFailure, "holds no Pair row"),
        ({"lacks": "data/pairs"}, DataFailure, "dvc repro"),
        ({"lacks": "models/base"}, SurroundingsFailure, "dvc repro base"),
    ],
)
def test_what_is_missing_or_unknown_is_one_message(project, changes, failure, says):
    asked = {"split": None, "pair_id": None, "count": 3} | changes
    lacking = project / asked.pop("lacks", "nothing")
    aside = project / "aside"
    if lacking.exists():
        lacking.rename(aside)
    try:
        with pytest.raises(failure) as refused:
            terminal.laid_out(project, **asked)
    finally:
        if aside.exists():
            aside.rename(lacking)
    assert says in str(refused.value)
