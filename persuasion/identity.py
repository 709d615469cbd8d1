"""What the bytes of a training's result depend on, by name: a checkpoint serves the run with the same and no other."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from persuasion.config import Params
from persuasion.files import digest

SECTIONS = ("compute", "dpo", "encoding", "kto", "lora", "sft", "train")
WITHOUT_EFFECT = ("save_every",)  # parameters of `train` that change no byte
PACKAGES = ("accelerate", "numpy", "peft", "safetensors", "torch", "transformers", "trl")


def run_key(params: Params, scored: Mapping[str, str], data: Sequence[Path], device: torch.device) -> dict[str, str]:
    """The identity of a run: every parameter, what the reference scored, data files, code, packages, machine."""
    sections: dict[str, Any] = {name: asdict(getattr(params, name)) for name in SECTIONS}
    for name in WITHOUT_EFFECT:
        del sections["train"][name]
    return {
        **{name: _hash(section) for name, section in sections.items()},
        **scored,
        **{path.as_posix(): digest(path) for path in data},
        **surroundings(device),
    }


def surroundings(device: torch.device) -> dict[str, str]:
    """The code, packages and machine that this process runs on."""
    return {
        "code": _hash({name: digest(path) for name, path in sorted(_loaded().items())}),
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "python": sys.version.split()[0],
        "machine": _machine(device),
    }


def _loaded() -> dict[str, Path]:
    """Every module of ours that this process runs on."""
    files: dict[str, Path] = {}
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "")
        stage = f"stages.{file.stem}" if name == "__main__" and file.parent.name == "stages" else name
        if stage.split(".")[0] in ("persuasion", "stages") and file.is_file():
            files[stage] = file
    return files


def _machine(device: torch.device) -> str:
    """Kernels are chosen by it, and they round differently."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return torch.backends.cpu.get_cpu_capability()


def _hash(tree: Mapping[str, Any]) -> str:
    return sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()
