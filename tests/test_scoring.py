import json
from dataclasses import replace

import pytest

from persuasion.errors import DataFailure, IntegrityFailure
from persuasion.records import Reference
from persuasion.scoring import load_reference, reference_key, score_pairs, verdict
from persuasion.tables import write_rows
from tests import tiny

TOK = tiny.tokenizer()
LM = tiny.llama(len(TOK))
PAIRS = tiny.encoded(TOK)


def test_pairs_of_one_post_score_as_if_alone():
    assert PAIRS[0].prompt == PAIRS[1].prompt
    together = score_pairs(LM, PAIRS, 512)
    alone = [score_pairs(LM, [pair], 512)[0] for pair in PAIRS]
    for a, b in zip(together, alone, strict=True):
        assert a == pytest.approx(b, abs=1e-10)


def test_a_verdict_is_the_scaled_gap_of_logratios():
    row = Reference(
        pair_id="p", reference_chosen_logp=-10.0, reference_rejected_logp=-20.0, chosen_tokens=3, rejected_tokens=4
    )
    judged = verdict(row, -9.0, -22.0, 0.5)
    assert (judged.chosen_reward, judged.rejected_reward, judged.margin) == (0.5, -1.0, 1.5)


@pytest.fixture
def folder(tmp_path):
    rows = tiny.reference(LM, PAIRS)
    write_rows(tmp_path / "logps.parquet", rows.values(), Reference, "pair_id")
    key = reference_key("base", "float32", {"train": PAIRS[:2], "test": PAIRS[2:]})
    (tmp_path / "key.json").write_text(json.dumps(key))
    return tmp_path


def test_a_reference_is_joined_by_id_and_its_key_covers_the_splits_asked(folder):
    key = reference_key("base", "float32", {"test": PAIRS[2:][::-1]})  # order does not matter
    assert load_reference(folder, key, PAIRS[2:]).keys() >= {pair.pair_id for pair in PAIRS[2:]}


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (reference_key("other", "float32", {}), "base_sha256"),
        (reference_key("base", "bfloat16", {}), "precision"),
        (reference_key("base", "float32", {"test": [replace(PAIRS[2], prompt=(1, 2)), PAIRS[3]]}), "test_tokens"),
    ],
)
def test_a_reference_of_another_base_precision_or_text_is_refused(folder, key, says):
    with pytest.raises(IntegrityFailure) as refused:
        load_reference(folder, key, PAIRS[2:])
    assert says in str(refused.value)


def test_a_missing_pair_or_key_is_refused(folder):
    unknown = replace(PAIRS[0], pair_id="p_unknown")
    with pytest.raises(IntegrityFailure, match="do not belong"):
        load_reference(folder, {}, [unknown])
    (folder / "key.json").unlink()
    with pytest.raises(DataFailure, match="readable key"):
        load_reference(folder, {}, PAIRS)
