"""CONTRIBUTING's recipes, walked: each applied to a copy of the project, and its commands typed there."""

import re
import shutil
from pathlib import Path

import pytest

from tests.closures import ROOT
from tests.commands import BLOCK
from tests.project import copied, run

PAGE = (ROOT / "docs/how-to/extend.md").read_text(encoding="utf-8")
RECIPES = {part.partition("\n")[0].strip(): part for part in PAGE.split("\n## Add a ")[1:]}


def applied(folder: Path, diff: str) -> None:
    """Make the changes of a diff without line numbers: what it takes away, or its context, stands once in the file."""
    for change in diff.split("--- ")[1:]:
        name, *hunks = re.split(r"^@@\n", change, flags=re.MULTILINE)
        path = folder / name.strip()
        for hunk in hunks:
            lines = hunk.splitlines()
            old = "\n".join(line[1:] for line in lines if line[:1] in " -")
            new = "\n".join(line[1:] for line in lines if line[:1] in " +")
            if not old:
                path.write_text(new + "\n", encoding="utf-8")
                continue
            text = path.read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{name.strip()} has this {text.count(old)} times:\n{old}"
            path.write_text(text.replace(old, new), encoding="utf-8")


def test_there_is_a_recipe_for_each_thing_that_grows():
    assert list(RECIPES) == ["parameter", "metric", "stage", "reader"]


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_can_be_followed(tmp_path, name):
    folder = copied(tmp_path)
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")  # in its own style, which the changes are written for
    for file in [*(ROOT / "metrics").glob("*.json"), ROOT / "dvc.lock"]:  # which the pages show
        shutil.copyfile(file, folder / file.relative_to(ROOT))
    run(folder, "git", "add", "--all")
    run(folder, "dvc", "init", "--quiet", "--force")
    for diff in re.findall(r"^```diff\n(.*?)^```", RECIPES[name], re.DOTALL | re.MULTILINE):
        applied(folder, diff)
    for block in BLOCK.findall(RECIPES[name]):
        for line in block.splitlines():
            run(folder, "bash", "-c", line.removeprefix("$ "))
    run(folder, "ruff", "check", "persuasion", "stages")
    if name == "reader":
        assert '"comments": 2' in (folder / "metrics/extract.json").read_text()
