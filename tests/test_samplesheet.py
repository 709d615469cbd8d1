from persuasion.records import EpochSample, EpochVerdict
from persuasion.samplesheet import run_name, samples
from persuasion.tables import plain, read_rows, write_rows
from tests.test_baselines import pair
from tests.test_judging import verdict

ORIGINAL = "run split epoch step prompt loss chosen_reward rejected_reward policy_chosen_logp policy_rejected_logp"
ORIGINAL += " chosen rejected"
MORE = "pair_id thread_id margin reference_chosen_logp reference_rejected_logp chosen_tokens rejected_tokens"


def test_each_verdict_is_a_row_with_the_texts_it_is_of(tmp_path):
    pairs = [pair(0, "=cmd()", "b\n\tc"), pair(1, "d", "e")]
    verdicts = [
        EpochVerdict(epoch=epoch, split=split, loss=0.5, **plain(verdict(name, epoch, 0)))
        for epoch in (1, 2)
        for split, name in (("train", "p0000"), ("validation", "p0001"))
    ]
    rows = samples(verdicts, pairs, "abc", steps=7)
    assert {(row.pair_id, row.split, row.step, row.chosen) for row in rows} == {
        ("p0000", "train", 7, "=cmd()"),
        ("p0001", "validation", 7, "d"),
        ("p0000", "train", 14, "=cmd()"),
        ("p0001", "validation", 14, "d"),
    }
    write_rows(tmp_path / "samples.parquet", rows, EpochSample, ("epoch", "pair_id"))
    again = read_rows(tmp_path / "samples.parquet", EpochSample)
    assert sorted(again, key=str) == sorted(rows, key=str)
    assert set(plain(rows[0])) == {*ORIGINAL.split(), *MORE.split()}


def test_a_run_has_one_name_on_every_machine_and_another_with_other_parameters():
    identity = {"dpo": "a", "data/pairs/train.parquet": "b", "machine": "here", "python": "3.11", "code": "c"}
    name = run_name(identity)
    assert len(name) == 12 and name == run_name(identity | {"machine": "there", "python": "3.12"})
    assert name != run_name(identity | {"dpo": "z"}) and name != run_name(identity | {"data/pairs/train.parquet": "z"})
