"""The import closure of a stage, read from the source: what DVC must list as its code.

``python -m tests.closures`` prints the lists for dvc.yaml.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("persuasion", "stages")


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports anywhere, ``from a import b`` as both ``a`` and ``a.b``."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def file_of(name: str) -> Path | None:
    """The project's file behind a dotted name, if there is one (package markers hold no code)."""
    path = ROOT.joinpath(*name.split(".")).with_suffix(".py")
    return path if name.split(".")[0] in PACKAGES and path.is_file() else None


def closure(path: Path) -> set[Path]:
    """``path`` and every project file it imports, directly or not, with the templates and data beside them."""
    seen, waiting = {path}, [path]
    while waiting:
        for name in imports(waiting.pop()):
            found = file_of(name)
            if found and found not in seen:
                seen.add(found)
                waiting.append(found)
    for file in list(seen):
        for kind in ("jinja", "json"):
            seen |= set(file.parent.glob(f"{file.stem}.*.{kind}"))
    return seen


def listed(path: Path) -> list[str]:
    """The closure as sorted paths relative to the root."""
    return sorted(file.relative_to(ROOT).as_posix() for file in closure(path))


if __name__ == "__main__":
    for stage in sorted((ROOT / "stages").glob("[a-z]*.py")):
        print(stage.stem, *listed(stage), sep="\n      - ")
