"""The pages: no link that leads nowhere, no command that nobody takes, no generated page behind the code."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from persuasion.lab.workspace import flat
from persuasion.yaml12 import Yaml12Loader, load_yaml
from tests import figures, reference
from tests.closures import ROOT
from tests.commands import PARAMETERS, pages, typed, wrong

LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MyST make them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path) if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


WALKED = ROOT / "docs/how-to/extend.md"  # its commands are run, on what it adds, by tests/test_recipes.py


@pytest.mark.parametrize("page", sorted(set(pages()) - {WALKED}), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_could_be_typed(page):
    problems = [f"{' '.join(words)}: {why}" for words in typed(page) if (why := wrong(words))]
    assert not problems


@pytest.mark.parametrize(
    "line",
    [
        "persuasion sumary", "persuasion summary --jsn", "dvc exp run -S dpo.betta=1", "dvc exp run -S dpo.beta=much",
        "dvc repro trian", "dvc exp run -S report.public=1", "make everything", "python -m stages.trian",
        "ls | persuasion nothing", "A=1 persuasion preset aply",
    ],
)  # fmt: skip
def test_a_command_that_nobody_takes_is_seen(tmp_path, line):
    page = tmp_path / "page.md"
    page.write_text(f"```console\n$ {line}\n```\n")
    assert any(map(wrong, typed(page)))


@pytest.mark.parametrize("name", reference.PAGES)
def test_generated_pages_are_those_of_the_code(name):
    page = reference.FOLDER / f"{name}.md"
    assert page.read_text(encoding="utf-8") == reference.PAGES[name](), "run python -m tests.reference"


def test_every_exit_code_is_told():
    from persuasion import errors

    told = dict(re.findall(r"^\| (\d+) \| `(\w+)`", (reference.FOLDER / "exit-codes.md").read_text(), re.MULTILINE))
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind is not errors.Failure]
    assert told == {str(kind.exit_code): kind.__name__ for kind in classes}


@pytest.mark.parametrize("page", figures.PAGES, ids=lambda page: page.name)
def test_figures_are_those_of_the_committed_run(page, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    text = page.read_text(encoding="utf-8")
    assert "<!-- figures: summary -->" in text
    assert text == figures.filled(text), "run make figures"


def test_what_the_tutorial_compares_with_is_the_committed_run():
    told = figures.summary.read_metrics(ROOT)
    text = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    rows = re.findall(r"^metrics/\S+ +(\S+) +(\S+) +(\S+) +(\S+)$", text, re.MULTILINE)
    assert len(rows) == 3
    for name, before, after, change in rows:
        assert float(before) == pytest.approx(figures.dig(told, name), abs=6e-6), "run the tutorial anew"
        assert float(after) - float(before) == pytest.approx(float(change), abs=2e-5)


def test_the_picture_of_the_pipeline_is_that_of_dvc_yaml():
    assert figures.PIPELINE.read_text(encoding="utf-8") == figures.pipeline(), "run make figures"


def test_readmes_tree_is_that_of_the_disk():
    """Whatever it names is in git or made by a stage, and everything at the top is named."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("## What lies where")[1].split("\n## ")[0]
    cells = [row.split("|")[1] for row in text.splitlines() if row.startswith("| `")]
    named = {name.rstrip("/") for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    stages = load_yaml(ROOT / "dvc.yaml")["stages"].values()
    made = {out if isinstance(out, str) else next(iter(out)) for stage in stages for out in stage.get("outs", [])}
    there = [name for name in [*tracked, *made] if name]
    assert not [name for name in named if not any(f"{one}/".startswith(f"{name}/") for one in there)]
    tops = {name.split("/")[0] for name in there if not name.startswith(".")} - {"README.md"}
    assert tops == {name.split("/")[0] for name in named}


def test_every_figure_has_a_word_on_a_page():
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages())
    told = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", text)))) | {"relation", "low", "high", "se"}
    for path in sorted((ROOT / "metrics").glob("*.json")):
        for name, _ in flat(json.loads(path.read_text(encoding="utf-8"))):
            parts = [part for part in name.split(".") if not part.isdigit()]
            untold = [part for part in parts if part not in told and re.sub(r"_(low|high|se)$", "", part) not in told]
            assert not untold, f"{name} stands on no page"


def test_the_table_of_the_migration_is_the_preset():
    """Every parameter it names exists, and the values it gives are those of `llama2-7b`."""
    preset = dict(flat(load_yaml(ROOT / "configs/presets/llama2-7b.yaml")))
    text = (ROOT / "docs/how-to/migrate.md").read_text(encoding="utf-8").split("## Where the numbers")[0]
    given = set()
    for row in re.findall(r"^\|(.+)\|(.+)\|(.*)\|$", text, re.MULTILINE):
        names = [name for name in re.findall(r"`([a-z_]+\.[a-z_.0-9]+)(?::[^`]*)?`", row[1]) if name != "sweep.yaml"]
        assert all(name in PARAMETERS or any(one.startswith(name) for one in PARAMETERS) for name in names), row
        value = row[2].strip().strip("`")
        if value and names:
            given |= set(names)
            read = yaml.load(value, Loader=Yaml12Loader)
            assert preset[names[0]] == read, row
    assert {"lora.r", "dpo.beta", "train.learning_rate", "encoding.total_tokens"} <= given


@pytest.mark.slow
def test_the_pages_build_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-d", f"{tmp_path}/trees"]
    done = subprocess.run([*command, "docs", f"{tmp_path}/site"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    site = (tmp_path / "site/index.html").read_text(encoding="utf-8")
    assert all(f"{page.stem}.html" in site for page in (ROOT / "docs").rglob("*.md"))
