"""Forms of other programs, held against their own loaders where these are installed, else against their documents."""

import csv
import io
import json
from collections import Counter
from dataclasses import replace

import pytest
import yaml

from persuasion.exchange import COLUMNS, FORMS, written
from persuasion.records import Pair
from persuasion.tables import plain, write_rows
from tests import tiny
from tests.builders import source
from tests.extracting import read

HOSTILE = 'Line\r\nbreak, "quotes"; comma\ttab \u2028 separator \x85 \x9b31m é 🌱 </s> {"a": 1}'
TEXTS = ["=1+1 is two", "+1, @you", "-- so it goes", "@u/you", "\tindented", "NA", "It's fine.", HOSTILE]
PAIRS = [
    replace(tiny.pair(number), prompt=f"CMV: {text}", chosen=text, rejected=f"Not so: {text}", chosen_score=-number)
    for number, text in enumerate(TEXTS)
]


def exported(name, folder, pairs=PAIRS, guarded=None):
    form = FORMS[name]
    path = folder / f"train{form.suffix}"
    path.write_text("".join(written(map(form.record, pairs), form.layout, guarded)), encoding="utf-8", newline="")
    if form.guide:
        (folder / form.guide_name).write_text(form.guide({"train": path.name}))
    return path


def triples(pairs=PAIRS):
    return [(pair.prompt, pair.chosen, pair.rejected) for pair in pairs]


def content(value):
    """The text of a value that may be a list of one message."""
    return value if isinstance(value, str) else value[0]["content"]


@pytest.mark.parametrize("name", FORMS)
def test_what_is_exported_is_read_again(name, tmp_path):
    exported(name, tmp_path)
    found = read(source(tmp_path, mask=False))
    body, post = {row.id: row.body for row in found.comments}, {row.id: row.selftext for row in found.submissions}
    chosen = [row for row in found.comments if row.rivals]
    assert sorted((post[row.thread_id], row.body, body[row.rivals[0]]) for row in chosen) == sorted(triples())
    assert not found.refusals


@pytest.mark.parametrize("name", FORMS)
def test_lines_end_where_records_do_and_nothing_acts_in_a_terminal(name, tmp_path):
    text = exported(name, tmp_path).read_text(encoding="utf-8")
    if FORMS[name].layout != "csv":
        assert len(text.splitlines()) == len(PAIRS) + 2 * (FORMS[name].layout == "list")
        assert not any(code in text for code in "\x1b\x9b\x85\u2028\r")
    assert [len(list(written([], layout))) for layout in ("lines", "list", "csv")] == [0, 2, 1]


def test_cells_that_a_spreadsheet_would_run_are_guarded_and_counted(tmp_path):
    guarded = Counter()
    text = exported("csv", tmp_path, guarded=guarded).read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert tuple(rows[0]) == COLUMNS and guarded == {"chosen": 5}
    assert [row["chosen"] for row in rows] == [f"'{text}" if text[0] in "=+-@\t" else text for text in TEXTS]
    assert [row["chosen_score"] for row in rows][1:] == [str(-number) for number in range(1, len(TEXTS))]


def test_only_forms_with_ids_name_authors(tmp_path):
    for name, form in FORMS.items():
        text = exported(name, tmp_path).read_text()
        assert ("u_op" in text) == ("p_0" in text) == ("t3_0" in text) == form.tells_split


# Hugging Face's loaders


@pytest.fixture
def load(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)

    def loaded(kind, path, **options):
        return datasets.load_dataset(
            kind, data_files=str(path), split="train", cache_dir=str(tmp_path / "c"), **options
        )

    return loaded


@pytest.mark.parametrize("name", ["jsonl", "json", "conversational", "csv", "parquet"])
def test_datasets_loads_it_unchanged(name, load, tmp_path):
    if name == "parquet":
        path = tmp_path / "train.parquet"
        write_rows(path, PAIRS, Pair, "pair_id")
    else:
        path = exported(name, tmp_path)
    options = {"keep_default_na": False, "na_values": {"chosen_score": [""], "rejected_score": [""]}}
    kind = path.suffix[1:].replace("jsonl", "json")
    found = load(kind, path, **(options if name == "csv" else {}))
    assert [tuple(map(content, (row["prompt"], row["chosen"], row["rejected"]))) for row in found] == triples()
    if name in ("jsonl", "parquet"):
        assert list(found) == [plain(pair) for pair in PAIRS]


@pytest.mark.parametrize("name", ["parquet", "jsonl", "conversational"])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_trl_prepares_it_unchanged(name, load, tmp_path):
    from peft import LoraConfig
    from trl import DPOConfig, DPOTrainer

    pairs = tiny.pairs()
    path = tmp_path / "train.parquet" if name == "parquet" else exported(name, tmp_path, pairs)
    if name == "parquet":
        write_rows(path, pairs, Pair, "pair_id")
    tok = tiny.tokenizer()
    trainer = DPOTrainer(
        model=tiny.llama(len(tok)).float(),
        args=DPOConfig(output_dir=str(tmp_path / "out"), report_to=[], use_cpu=True, bf16=False, max_length=None),
        train_dataset=load(path.suffix[1:].replace("jsonl", "json"), path),
        processing_class=tok,
        peft_config=LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"),
    )
    for row, pair in zip(trainer.train_dataset, pairs, strict=True):
        for side in ("chosen", "rejected"):
            text = tok.decode(row["prompt_ids"] + row[f"{side}_ids"])
            before, _, after = text.partition(pair.prompt)
            assert getattr(pair, side) in after and text.rstrip().endswith(tok.eos_token)
            assert (before == "") == (name != "conversational")


# Documented schemas of programs that are not installed here


def llama_factory(folder, name):
    """Read a dataset as LLaMA-Factory's data/README.md ("Preference Dataset") says that it is read.

    github.com/hiyouga/LLaMA-Factory: data/README.md, and data/converter.py for how parts are joined.
    """
    entry = json.loads((folder / "dataset_info.json").read_text(encoding="ascii"))[name]
    known = {"file_name", "formatting", "ranking", "columns", "tags"}
    assert entry.keys() <= known and entry["ranking"] is True
    columns, sharegpt = entry["columns"], entry.get("formatting", "alpaca") == "sharegpt"
    assert columns.keys() == ({"messages"} if sharegpt else {"prompt", "query"}) | {"chosen", "rejected"}
    for row in json.loads((folder / entry["file_name"]).read_text(encoding="utf-8")):
        assert set(columns.values()) == row.keys()
        chosen, rejected = row[columns["chosen"]], row[columns["rejected"]]
        if sharegpt:
            messages = row[columns["messages"]]  # by human and gpt in turn, the last by human
            assert len(messages) % 2 == 1 and all(
                message["from"] == ("human", "gpt")[at % 2] for at, message in enumerate(messages)
            )
            assert chosen["from"] == rejected["from"] == "gpt"
            yield messages[0]["value"], chosen["value"], rejected["value"]
        else:
            parts = [row[columns[name]] for name in ("prompt", "query") if row[columns[name]]]
            yield "\n".join(parts), chosen, rejected


def axolotl(folder, section="datasets"):
    """Read the datasets of a configuration as Axolotl's docs/rlhf.qmd ("chat_template.default") describes them.

    github.com/axolotl-ai-cloud/axolotl: docs/rlhf.qmd, prompt_strategies/dpo/chat_template.py for the defaults.
    """
    settings = yaml.safe_load((folder / "axolotl.yaml").read_text())
    assert settings["rl"] == "dpo"
    for dataset in settings[section]:
        assert (dataset["type"], dataset["ds_type"], dataset["split"]) == ("chat_template.default", "json", "train")
        for line in (folder / dataset["path"]).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            messages, chosen, rejected = (row[dataset[f"field_{name}"]] for name in ("messages", "chosen", "rejected"))
            assert [message["role"] for message in (*messages, chosen, rejected)] == ["user", "assistant", "assistant"]
            yield messages[0]["content"], chosen["content"], rejected["content"]


@pytest.mark.parametrize("name", ["llamafactory", "llamafactory-sharegpt"])
def test_llama_factorys_documents_are_kept(name, tmp_path):
    exported(name, tmp_path)
    assert list(llama_factory(tmp_path, "persuasion_train")) == triples()


def test_axolotls_documents_are_kept(tmp_path):
    exported("axolotl", tmp_path)
    assert list(axolotl(tmp_path)) == triples()


def test_axolotl_trains_on_no_held_out_pair():
    def sections(**files):
        made = yaml.safe_load(FORMS["axolotl"].guide(files))
        return [[one["path"] for one in made.get(name, ())] for name in ("datasets", "test_datasets")]

    assert sections(train="a", validation="b", test="c") == [["a"], ["b"]]
    assert sections(validation="b") == [["b"], []] and sections(pairs="d: #") == [["d: #"], []]
