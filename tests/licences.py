"""What every locked package says of its licence: ``python -m tests.licences`` writes docs/reference/licences.md.

Read from what is installed, so run it in the project's environment after `make lock`.
"""

import re
from importlib.metadata import PackageNotFoundError, metadata

from persuasion import inert
from tests.closures import ROOT

LOCKS, PAGE = (ROOT / "requirements.lock", ROOT / "requirements-torch.lock"), ROOT / "docs/reference/licences.md"
HEAD = """# Licences of the packages

What the packages of `requirements.lock`, and torch, say of themselves, by `python -m tests.licences`. None of them is
part of this repository: they are installed from their publishers. No legal advice.

| package | version | licence |
|---|---|---|
"""


def locked() -> list[tuple[str, str]]:
    """Names and versions in the lock files, by name."""
    lines = [line for lock in LOCKS for line in lock.read_text(encoding="utf-8").splitlines()]
    found = [known for line in lines if (known := re.match(r"([\w.-]+)(?:\[[^]]*\])?==([^\s;]+)", line))]
    return sorted(((one[1], one[2]) for one in found), key=lambda package: package[0].lower())


def licence(name: str) -> str:
    """The licence of an installed package in one line: its expression, its classifiers, or its own words."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return "not installed here"
    if expression := about.get("License-Expression"):
        return expression
    classified = [entry.split(" :: ")[-1] for entry in about.get_all("Classifier", []) if entry.startswith("License")]
    named = ", ".join(sorted(set(classified) - {"OSI Approved"}))
    return named or (about.get("License") or "not said").strip().splitlines()[0][:80]


def page() -> str:
    """The page for what is locked and installed."""
    return HEAD + "".join(f"| {name} | {version} | {inert.markdown(licence(name))} |\n" for name, version in locked())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
