"""What helps others take part: hooks, workflows and templates say only what the project really has."""

import json
import re

import pytest
import yaml

from tests.closures import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def steps(path):
    tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert tree["permissions"] == {"contents": "read"}
    for job in tree["jobs"].values():
        assert job["runs-on"] == "ubuntu-latest" and job["timeout-minutes"] <= 60
        yield from job["steps"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_what_the_makefile_has_without_secrets(path):
    assert "secrets." not in path.read_text(encoding="utf-8")
    for step in steps(path):
        assert ("uses" in step) != ("run" in step)
        for target in re.findall(r"\bmake (\w+)", step.get("run", "")):
            assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target
        assert re.fullmatch(r"actions/[\w-]+@v\d+", step.get("uses", "actions/checkout@v4"))


def test_between_them_workflows_do_all_that_a_release_rests_on():
    run = " ".join(step.get("run", "") for path in WORKFLOWS for step in steps(path))
    for target in ("check", "test", "repro", "reproducible", "docs", "audit"):
        assert f"make {target}" in run


def test_hooks_use_the_projects_own_programs():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    dev = re.search(r"^dev = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE)[1]
    for hook in hooks:
        program = re.fullmatch(r"\.venv/bin/(\w+) .*|\.venv/bin/(\w+)", hook["entry"])
        name = program[1] or program[2]
        assert name == "python" or f'"{name}"' in dev
        assert all((ROOT / word).is_file() for word in hook["entry"].split() if word.startswith("tests/"))


def test_how_to_cite_agrees_with_the_package():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert f'version = "{cited["version"]}"' in (ROOT / "pyproject.toml").read_text()
    assert cited["authors"] == [{"name": "The Persuasion developers"}]


def test_forms_and_settings_can_be_read():
    for form in (ROOT / ".github/ISSUE_TEMPLATE").glob("[bw]*.yml"):
        tree = yaml.safe_load(form.read_text())
        assert {"name", "description", "body"} == tree.keys()
        assert len({part["id"] for part in tree["body"] if "id" in part}) == sum("id" in part for part in tree["body"])
    for path in (ROOT / ".vscode").glob("*.json"):
        json.loads(path.read_text())
