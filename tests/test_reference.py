"""The reference is scored once: its key has everything it depends on, and nothing else makes it anew."""

from dataclasses import replace

import pytest

from persuasion import models
from persuasion.errors import IntegrityFailure
from persuasion.files import write_json
from persuasion.records import Reference
from persuasion.scoring import encode_pairs, load_reference, reference_key, reference_rows
from persuasion.tables import write_rows
from tests import tiny
from tests.workbench import Server, bench, pair, twin

TOK = tiny.tokenizer()
PAIRS = [pair(number) for number in range(6)]
FORWARDS = """
from pathlib import Path
load = stage.load_base
def watched(*args):
    lm, tok = load(*args)
    def note(*_):
        adapters = [m._disable_adapters for m in lm.modules() if hasattr(m, "_disable_adapters")]
        with Path("forwards.txt").open("a") as file:
            file.write("policy " if adapters and not any(adapters) else "reference ")
    lm.get_input_embeddings().register_forward_pre_hook(note)
    return lm, tok
stage.load_base = watched
"""


def key(tok=TOK, pairs=PAIRS, base="base", precision="float32", **encoding):
    settings = replace(tiny.ENCODING, **encoding)
    return reference_key(base, precision, {"train": encode_pairs(tok, pairs, settings)})


def other_tokenizer():
    return models.new_tokenizer([*tiny.TEXTS, "may may may underrated underrated"] * 3, 330)


CHANGES = {
    "base": {"base": "other"},
    "dtype": {"precision": "bfloat16"},
    "template": {"template": "plain"},
    "suffix": {"template": "plain", "suffix": "Reply:"},
    "prompt length": {"prompt_tokens": 24},
    "total length": {"total_tokens": 48, "prompt_tokens": 32},
    "tokenizer": {"tok": other_tokenizer()},
    "text of a pair": {"pairs": [*PAIRS[:5], replace(PAIRS[5], rejected="Something else.")]},
    "id of a pair": {"pairs": [*PAIRS[:5], replace(PAIRS[5], pair_id="p_other")]},
    "sides of a pair": {"pairs": [*PAIRS[:5], replace(PAIRS[5], chosen=PAIRS[5].rejected, rejected=PAIRS[5].chosen)]},
    "a pair less": {"pairs": PAIRS[:5]},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    encoded = encode_pairs(TOK, PAIRS, tiny.ENCODING)
    write_rows(folder / "logps.parquet", reference_rows(tiny.llama(len(TOK)), encoded, 512), Reference, "pair_id")
    write_json(folder / "key.json", key())
    return folder


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_it_depends_on_is_in_its_key(folder, what):
    assert load_reference(folder, key(), encode_pairs(TOK, PAIRS, tiny.ENCODING))
    with pytest.raises(IntegrityFailure, match="do not belong"):
        load_reference(folder, key(**CHANGES[what]), [])


@pytest.mark.slow
def test_a_search_over_training_runs_no_forward_of_the_reference(tmp_path):
    trials = [{"train.learning_rate": 0.01}, {"dpo.beta": 0.1}, {"lora.r": 4}, {"dpo.loss": "ipo"}, {"train.epochs": 1}]
    with Server() as server:
        start = bench(tmp_path / "start", **{"train.save_every": 0})
        assert server.run(start, "reference", patch=FORWARDS).code == 0
        scored = (start / "forwards.txt").read_text().split()
        assert scored and set(scored) == {"reference"}  # so the count can tell
        (start / "forwards.txt").unlink()
        for number, trial in enumerate(trials):
            folder = twin(start, f"trial-{number}", **trial)
            assert server.run(folder, patch=FORWARDS).code == 0
            forwards = (folder / "forwards.txt").read_text().split()
            assert len(forwards) > 5 and set(forwards) == {"policy"}, trial
