"""Arrow alone, without pandas: at its first array pyarrow imports it, if it is there, to know pandas' own.

That is half a second in every process, for nothing where no pandas is used.
"""

import sys
from importlib.abc import MetaPathFinder
from typing import Any

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def without_pandas() -> None:
    """Have pyarrow find no pandas in this process and its forks; it looks for it only once."""
    nothing = _NoPandas()
    sys.meta_path.insert(0, nothing)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(nothing)
