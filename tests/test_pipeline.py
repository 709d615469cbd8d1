"""dvc.yaml tells the truth, and the whole pipeline does what a DVC user expects."""

import json
import re
import shutil

import pyarrow.parquet as pq
import pytest
from dvc.utils.serialize import load_yaml as dvc_load

from persuasion import lineage
from persuasion.config import load_params
from persuasion.files import digest
from tests.closures import ROOT, listed
from tests.project import SMALL, change, copied, metrics, outputs, run
from tests.reproducible import compare

MAP = dvc_load(str(ROOT / "dvc.yaml"))
STAGES = ["sample", "extract", "pair", "base", "reference", "train", "evaluate", "generate", "report"]
CHAIN = ["lm", "sft"]  # stages that base.prepare calls into being
KEYS = {
    "extract": "lines submissions comments refused deltas refused_by skipped_by",
    "pair": "pairs.train pairs.validation pairs.test threads.train leaks.thread leaks.author leaks.near_duplicate"
    " leaks.label words.prompt_mean words.completion_mean dropped_by",
    "base": "perplexity parameters",
    "reference": "tokens.prompt_mean tokens.completion_mean truncated.prompt truncated.completion dropped"
    " reference_accuracy",
    "train": "loss steps validation.loss validation.reward_accuracy validation.reward_margin validation.nll_calibrated"
    " rewards.chosen rewards.rejected perplexity.policy.chosen perplexity.policy.rejected"
    " perplexity.reference.chosen perplexity.reference.rejected",
    "evaluate": "reward_accuracy reward_accuracy_low reward_accuracy_high reward_margin rewards.chosen"
    " rewards.rejected perplexity.policy.chosen reference_accuracy baseline.length.accuracy baseline.tfidf.accuracy"
    " baseline.interplay.accuracy ece brier accuracy_length_matched pairs by_kind.style.accuracy"
    " by_kind.relation.accuracy test_split test_looks reward_accuracy_se reference_free.summed.accuracy"
    " reference_free.per_token.accuracy quantiles.margin.p50 displacement_rate temperature nll_calibrated"
    " difference.reference_per_token.p_holm difference.length.p_mcnemar difference.coin.detectable"
    " length.accuracy_equal length.spearman_reward length.bins.1.pairs slices.year slices.topic slices.post_length"
    " slices.label_source.confirmed.pairs",
    "generate": "replies tokens_mean eos_rate distinct_2 copy_rate safety safety_measured.self_harm.recall"
    " self_bleu repetition_4 relevance.own readability.flesch style.questions challenge.replies base.distinct_2"
    " truncated.prompt challenge.truncated.prompt",
}
COLUMNS = {
    "data/threads/comments.parquet": "id thread_id parent_id author created_utc score body is_op earned_delta deltas",
    "data/threads/submissions.parquet": "id author created_utc score title selftext",
    "data/pairs/train.parquet": "pair_id thread_id split prompt chosen rejected chosen_id rejected_id chosen_author"
    " rejected_author op_author created_utc",
    "data/reference/logps.parquet": "pair_id reference_chosen_logp reference_rejected_logp chosen_tokens"
    " rejected_tokens",
    "data/verdicts.parquet": "pair_id policy_chosen_logp policy_rejected_logp reference_chosen_logp"
    " reference_rejected_logp chosen_reward rejected_reward margin chosen_tokens rejected_tokens",
    "data/replies.parquet": "thread_id prompt text base_text chosen seed stopped crisis",
    "data/samples/samples.parquet": "run split epoch step pair_id prompt chosen rejected loss chosen_reward"
    " rejected_reward policy_chosen_logp policy_rejected_logp reference_chosen_logp reference_rejected_logp"
    " chosen_tokens rejected_tokens",
    "data/samples/replies.parquet": "run epoch pair_id prompt text chosen rejected",
}


def names(entries):
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def stage(name):
    return MAP["stages"][name].get("do", MAP["stages"][name])


def test_the_stages_are_the_contract():
    assert [name for name in MAP["stages"] if name not in CHAIN] == STAGES
    assert all(stage(name)["cmd"] == f"python -m stages.{name}" for name in MAP["stages"])
    assert MAP["stages"].keys() >= set(CHAIN) and load_params().base.serves == "base"
    assert {(artifact["path"], artifact["type"]) for artifact in MAP["artifacts"].values()} == {
        ("models/adapter", "model"),
        ("data/pairs", "dataset"),
    }


@pytest.mark.parametrize("name", [*STAGES, *CHAIN])
def test_every_stage_lists_all_the_code_it_runs_on(name):
    code = [dep for dep in stage(name)["deps"] if dep.startswith(("persuasion/", "stages/"))]
    assert code == listed(ROOT / f"stages/{name}.py")


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_tracks_the_parameters_it_reads(name):
    """Sections named in the stage's own modules; the tree itself is validated everywhere, so it does not count."""
    tracked = {param.split(".")[0] for param in MAP["stages"][name].get("params", [])}
    sections = set(load_params().__dataclass_fields__)
    read: set[str] = set()
    for path in listed(ROOT / f"stages/{name}.py"):
        source = (ROOT / path).read_text(encoding="utf-8")
        # how many processes work changes no byte
        read |= set(re.findall(r"\b(?:params|load_params\(\))\.(\w+)\b(?!\.workers)", source)) & sections
    assert read <= tracked


def test_a_sweep_over_training_never_recomputes_the_reference():
    for name in ("sample", "extract", "pair", "base", "reference", *CHAIN):
        tracked = {param.split(".")[0] for param in stage(name)["params"]}
        assert not {"dpo", "kto", "sft", "lora", "train", "evaluate", "generate"} & tracked


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = copied(tmp_path_factory.mktemp("a project") / "with spaces é", SMALL)
    run(project, "dvc", "repro")
    commit(project)
    return project


def commit(project):
    run(project, "git", "add", "--all")
    run(project, "git", "commit", "--quiet", "--message", "results")


@pytest.mark.slow
def test_every_contracted_figure_and_column_is_there(project):
    for stage, keys in KEYS.items():
        figures = metrics(project, stage)
        for key in keys.split():
            value = figures
            for part in key.split("."):
                value = value[part]
        text = (project / f"metrics/{stage}.json").read_text(encoding="utf-8")
        json.loads(text, parse_constant=pytest.fail)
    for path, columns in COLUMNS.items():
        assert set(columns.split()) <= set(pq.read_schema(project / path).names), path
    for path in ("report/index.html", "report/report.md", "models/adapter/adapter_model.safetensors",
                 "models/adapter/README.md", "data/threads/refused.jsonl", "data/pairs/dropped.jsonl",
                 "data/pairs/splits.parquet", "metrics/train/training.tsv", "data/samples/pairs.parquet",
                 "data/reference/preview.jsonl", "metrics/reference/tokens.tsv",
                 "metrics/pair/lengths.tsv", "metrics/evaluate/slices.json", "metrics/evaluate/undefined.json",
                 "metrics/evaluate/rewards.tsv", "metrics/generate/undefined.json",
                 "report/adapter-card.md", "metrics/report/judges.tsv"):  # fmt: skip
        assert (project / path).is_file(), path
    extract = metrics(project, "extract")
    assert extract["lines"] == sum(extract[k] for k in ("submissions", "comments", "refused")) + sum(
        extract["skipped_by"].values()
    )
    assert extract["refused"] == sum(extract["refused_by"].values())


@pytest.mark.slow
def test_a_second_repro_does_nothing_and_dvcs_commands_answer(project):
    again = run(project, "dvc", "repro").stdout
    assert "Running stage" not in again and "up to date" in again
    shown = json.loads(run(project, "dvc", "metrics", "show", "--json").stdout)
    assert set(shown[""]["data"]) == {f"metrics/{stage}.json" for stage in KEYS}
    plots = json.loads(run(project, "dvc", "plots", "show", "--json").stdout)
    shown = {"DPO loss", "reward margin", "reward accuracy", "token lengths", "length differences", "judges",
             "against rivals", "reliability", "margins", "rewards", "rewards in training"}  # fmt: skip
    assert shown <= plots["data"].keys() and not plots.get("errors")


def specs(project, *command):
    """The filled Vega specifications of a page that DVC draws, by title."""
    run(project, "dvc", "plots", *command, "--out", "drawn")
    page = (project / "drawn/index.html").read_text(encoding="utf-8")
    shutil.rmtree(project / "drawn")
    found = [json.JSONDecoder().raw_decode(part)[0] for part in page.split("var spec = ")[1:]]
    return {spec["title"]["text"]: spec for spec in found}


def fields(spec):
    """Every column that a specification draws."""
    if isinstance(spec, list):
        return set().union(*map(fields, spec))
    if not isinstance(spec, dict):
        return set()
    own = {spec["field"]} if isinstance(spec.get("field"), str) else set()
    return own.union(*(fields(value) for name, value in spec.items() if name not in ("data", "values")))


@pytest.mark.slow
@pytest.mark.parametrize("command", [["show"], ["diff", "HEAD~1", "HEAD"]])
def test_every_plot_is_drawn_from_columns_that_are_there(project, command):
    drawn = specs(project, *command)
    titles = {next(iter(plot.values()))["title"] for plot in MAP["plots"]}
    # DVC draws the files of a stage's `plots` too, which these two have for the sake of its run cache
    plain = {"metrics/reference/tokens.tsv", "metrics/train/training.tsv", "metrics/train/validation.tsv"}
    assert drawn.keys() == titles | plain and len(titles) == len(MAP["plots"])
    for title in titles:
        spec = drawn[title]
        rows = spec["data"]["values"]
        made = {step["as"] for step in spec.get("transform", [])} | {"at"}
        assert rows and fields(spec) <= rows[0].keys() | made, title
        assert "DVC_METRIC" not in json.dumps(spec), title
        for step in spec.get("transform", []):
            assert set(re.findall(r"datum\['([^']+)'\]", step["calculate"])) <= rows[0].keys(), title


@pytest.mark.slow
def test_the_report_names_its_data_as_dvc_does_and_git_finds_the_commit(project):
    for path, md5 in outputs(project).items():
        assert lineage.content(project / path) == md5, path
    adapter = outputs(project)["models/adapter"]
    page = (project / "report/index.html").read_text(encoding="utf-8")
    assert adapter in page and outputs(project)["data/pairs"] in page and str(project) not in page
    commits = run(project, "git", "log", "--format=%s", f"-S{adapter}", "--", "dvc.lock").stdout
    assert commits.strip() == "results"


@pytest.mark.slow
def test_the_cards_are_read_by_the_hubs_reader(project):
    from huggingface_hub import DatasetCard, ModelCard

    evaluate = metrics(project, "evaluate")
    for path in ("models/adapter/README.md", "report/adapter-card.md"):
        [first, *_] = ModelCard.load(project / path).data.eval_results
        assert first.metric_value == pytest.approx(evaluate["reward_accuracy"]) and first.metric_args["low"] is not None
        assert first.dataset_args["sha256"]["train.parquet"] == digest(project / "data/pairs/train.parquet")
    card = DatasetCard.load(project / "data/pairs/README.md")
    assert card.data.size_categories == ["n<1K"] and digest(project / "data/pairs/test.parquet") in card.text


def test_the_report_depends_on_every_parameter_that_it_shows():
    tracked = MAP["stages"]["report"]["params"]
    shown = lineage.settings(load_params())
    assert all(any(f"{name}.".startswith(f"{one}.") for one in tracked) for name in shown)
    every = {param for stage in MAP["stages"].values() for param in stage.get("do", stage)["params"]}
    assert all(any(f"{name}.".startswith(f"{one}.") for one in tracked) for name in every - {"source", "train"})


@pytest.mark.slow
def test_an_experiment_reruns_only_what_beta_touches_and_is_mirrored(project):
    before = outputs(project)
    said = run(project, "dvc", "exp", "run", "--name", "stronger", "-S", "dpo.beta=0.2").stdout
    assert re.findall(r"Running stage '(\w+)'", said) == ["train", "evaluate", "generate", "report"]
    after = outputs(project)
    changed = {path for path in before if before[path] != after[path]}
    assert "models/adapter" in changed
    assert not changed & {"models/base", "data/reference", "data/pairs", "data/threads"}
    differs = json.loads(run(project, "dvc", "params", "diff", "--json").stdout)
    assert differs["params.yaml"]["dpo.beta"]["new"] == 0.2
    table = json.loads(run(project, "dvc", "exp", "show", "--json").stdout)
    experiments = [row["name"] for entry in table for exp in entry.get("experiments") or [] for row in exp["revs"]]
    assert "stronger" in experiments
    count = run(project, "python", "-c", "import mlflow; mlflow.set_tracking_uri('sqlite:///mlflow.db');"
                "print(len(mlflow.search_runs(search_all_experiments=True)))").stdout  # fmt: skip
    assert count.strip() == "2"
    run(project, "git", "checkout", "--quiet", ".")
    run(project, "dvc", "checkout")


@pytest.mark.slow
def test_pairs_and_adapter_open_without_our_code(project):
    code = (
        "from datasets import load_dataset; from peft import AutoPeftModelForCausalLM;"
        "from transformers import AutoTokenizer;"
        "d = load_dataset('parquet', data_files='data/pairs/train.parquet', split='train');"
        "assert {'prompt', 'chosen', 'rejected'} <= set(d.column_names) and len(d);"
        "m = AutoPeftModelForCausalLM.from_pretrained('models/adapter');"
        "t = AutoTokenizer.from_pretrained('models/adapter'); assert t.chat_template;"
        "print(m.generate(**t(d[0]['prompt'], return_tensors='pt'), max_new_tokens=2).shape)"
    )
    assert "torch.Size" in run(project, "python", "-c", code, HF_HUB_OFFLINE="1").stdout


@pytest.mark.slow
def test_two_clean_copies_give_identical_hashes(tmp_path):
    rows = compare(tmp_path, SMALL)
    assert len(rows) > 15
    assert [path for path, first, second in rows if first != second] == []


@pytest.mark.slow
def test_a_local_base_serves_the_same_stages_and_ignores_the_data(project, tmp_path):
    """A grouped-query model with another tokenizer; it is not built again when the pairs change."""
    make = (
        "import sys, pathlib; from tests import tiny; from persuasion import models; t = tiny.tokenizer();"
        "p = pathlib.Path(sys.argv[1]); p.mkdir(); models.save_base(tiny.shaped('qwen2', len(t), {}).float(), t, p)"
    )
    run(project, "python", "-c", make, str(tmp_path / "other"))
    copy = tmp_path / "copy"
    shutil.copytree(project, copy, symlinks=True)
    local = {"model.kind": "local", "model.name": str(tmp_path / "other"), "encoding.prompt_tokens": 96,
             "encoding.total_tokens": 160, "encoding.template": "plain", "encoding.suffix": "\n\nReply: "}  # fmt: skip
    change(copy, local)
    run(copy, "dvc", "repro", "evaluate")
    assert metrics(copy, "reference")["truncated"]["prompt"] > 0
    assert metrics(copy, "base")["perplexity"] is None
    change(copy, {"pairs.seed": 2})
    said = run(copy, "dvc", "repro", "reference").stdout
    assert re.findall(r"Running stage '(\w+)'", said) == ["pair", "reference"]


@pytest.mark.slow
def test_a_chain_is_cached_link_by_link_and_every_method_is_judged(project, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(project, copy, symlinks=True, ignore=shutil.ignore_patterns("mlflow*", "mlartifacts"))

    def ran(**changes):
        change(copy, {name.replace("__", "."): value for name, value in changes.items()})
        return re.findall(r"Running stage '([\w@]+)'", run(copy, "dvc", "repro", "evaluate").stdout)

    chain = {"base__prepare__lm": ["base"], "base__prepare__sft": ["lm"], "base__serves": "sft"}
    assert ran(**chain) == ["lm@base", "sft@lm", "reference", "train", "evaluate"]
    assert ran(train__method="kto", lora__r=4) == ["train", "evaluate"]
    assert metrics(copy, "evaluate")["reward_accuracy"] is not None
    assert ran(train__method="sft") == ["train", "evaluate"]
    assert metrics(copy, "evaluate")["perplexity"]["policy"]["chosen"] > 1
    rank = load_params(project / "params.yaml").lora.r
    off = {"base__prepare__lm": [], "base__prepare__sft": [], "base__serves": "base"}
    assert not {"base", "lm@base", "sft@lm"} & set(ran(train__method="dpo", lora__r=rank, **off))
    assert outputs(copy)["models/adapter"] == outputs(project)["models/adapter"]


FAILURES = [
    ("sample", {"dpo.beta": 0, "sample.seed": 2}, 2, "dpo.beta"),
    ("sample", {"train.learning_rate": "fast", "sample.seed": 2}, 2, "train.learning_rate"),
    ("extract", {"source.path": "data/raw/nowhere"}, 3, "nowhere"),
    ("pair", {"pairs.shares": {"train": 0.998, "validation": 0.001, "test": 0.001}}, 3, "too few threads"),
    ("base", {"model.kind": "local", "model.name": "nowhere"}, 4, "nowhere"),
    ("base", {"model.small.max_perplexity": 1.01}, 6, "max_perplexity"),
    ("train", {"lora.targets": ["c_attn"]}, 2, "q_proj"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "changes", "code", "says"), FAILURES)
def test_what_is_wrong_is_one_message_and_leaves_nothing_finished(project, tmp_path, stage, changes, code, says):
    """Run the failing stage as DVC does, on the finished outputs of the stages before it."""
    copy = tmp_path / "copy"
    shutil.copytree(project, copy, symlinks=True, ignore=shutil.ignore_patterns("mlflow*", "mlartifacts"))
    change(copy, changes)
    done = run(copy, "dvc", "repro", stage, ok=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    direct = run(copy, "python", "-m", f"stages.{stage}", ok=False)
    assert direct.returncode == code, direct.stderr
    assert says in direct.stderr
    assert direct.stderr.count("persuasion: ") == 1
    for out in names(MAP["stages"][stage]["outs"]):
        assert not (copy / out).exists(), f"{out} looks finished"
    assert not list(copy.rglob(".*.partial"))
