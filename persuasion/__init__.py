"""Persuasion: from raw r/changemyview dumps to preference pairs to an aligned adapter."""

from typing import Any

__all__ = ["load_adapter", "load_pairs"]


def __getattr__(name: str) -> Any:
    """Import what fetches versions only when it is asked for: a stage that imports a room stays light."""
    if name in __all__:
        from importlib import import_module

        return getattr(import_module("persuasion.lab.loading"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
