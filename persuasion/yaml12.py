"""One safe YAML reader that agrees with DVC's: the YAML 1.2 float, no duplicate keys, no alias bombs.

``dvc exp run -S train.learning_rate=1e-5`` writes ``1e-05``. YAML 1.1 readers, PyYAML among
them, take that for text, and PyYAML lets the later of two equal keys win silently.
"""

import math
import re
from pathlib import Path
from typing import Any

import yaml

from persuasion.errors import UsageFailure

# DVC's reader (ruamel) lets digits be grouped by underscores
FLOAT_12 = re.compile(
    r"^[-+]?(\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$"
)
INT_12 = re.compile(r"^[-+]?[0-9][0-9_]*$|^0b[01_]+$|^0o[0-7_]+$|^0x[0-9a-fA-F_]+$")
BOOL_12 = re.compile(r"^(true|True|TRUE|false|False|FALSE)$")
NULL_12 = re.compile(r"^(~|null|Null|NULL|)$")
MERGE = re.compile(r"^<<$")


class Yaml12Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the scalars of YAML 1.2's core schema."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping; a key that stands twice is an error, not a silent override."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is no plain text", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key.value!r}", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def compose_node(self, parent: Any, index: Any) -> yaml.Node | None:
        """Refuse aliases: parameters need none, and nested ones can expand without bound."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed", self.peek_event().start_mark)
        return super().compose_node(parent, index)


def _int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = node.value.replace("_", "")
    return int(text, 0) if text[:2] in ("0b", "0o", "0x") else int(text)


def _float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    text = node.value.lower().replace("_", "").replace(".inf", "inf").replace(".nan", "nan")
    return float(text)


Yaml12Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", BOOL_12, list("tTfF")),
    ("int", INT_12, list("-+0123456789")),
    ("float", FLOAT_12, list("-+0123456789.")),
    ("null", NULL_12, ["~", "n", "N", ""]),
    ("merge", MERGE, ["<"]),
):
    Yaml12Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, _first)
Yaml12Loader.add_constructor("tag:yaml.org,2002:int", _int)
Yaml12Loader.add_constructor("tag:yaml.org,2002:float", _float)


def load_yaml(path: Path) -> Any:
    """Read one YAML document. Raises UsageFailure (exit 2) with line and column for anything unsafe or malformed."""
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), Loader=Yaml12Loader)  # noqa: S506
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # no UTF-8 and no number are ValueErrors
        raise UsageFailure(f"{path} is not valid YAML", why=" ".join(str(error).split()), fix="correct it") from None
    _refuse_non_finite(value, path)
    return value


def _refuse_non_finite(value: Any, path: Path) -> None:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        _refuse_non_finite(item, path)
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageFailure(f"{path} holds {value}", why="no parameter may be infinite or NaN", fix="correct it")
