"""A trainer's whole state as safetensors and JSON, so that a run taken up again ends with the same bytes.

transformers' own checkpoints hold pickles; nothing here is ever unpickled. ``Resumable`` stands
before its trainer and replaces what that would write and read: trainable weights, optimiser,
schedule, random generators and the sums behind logged means. Written for transformers 5.23.
"""

import json
import os
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from persuasion.checkpoints import Checkpoints, Key, opened
from persuasion.curves import Tally
from persuasion.errors import IntegrityFailure, UsageFailure
from persuasion.processes import gathered, rank, together, total, world

WEIGHTS, OPTIMISER, CHANCE, STATE = "weights.safetensors", "optimiser.safetensors", "chance.safetensors", "state.json"
PROGRESS = "trainer_state.json"  # transformers reads the step from it


class Part(Protocol):
    """Something beside the trainer that a run must take up again: tables, the best epoch."""

    def write(self, folder: Path) -> None:
        """Write its state into a checkpoint."""

    def read(self, folder: Path) -> None:
        """Take its state from a checkpoint."""


class Keeper:
    """Keeps and takes up a run: the trainer's state, and ``parts``. ``every``: steps between checkpoints."""

    def __init__(self, checkpoints: Checkpoints, every: int, parts: Sequence[Part]) -> None:
        self.checkpoints, self.every, self.parts = checkpoints, every, parts

    def save(self, trainer: Any) -> None:
        """Write a checkpoint of the step just done; all processes take part and the first one writes."""
        chance = _chance(trainer)
        if rank() == 0:

            def write(folder: Path) -> None:
                _write(trainer, folder)
                save_file(chance, folder / CHANCE)
                for part in self.parts:
                    part.write(folder)

            self.checkpoints.save(trainer.state.global_step, write)
        together()

    def newest(self) -> Path | None:
        """The checkpoint to take up, its parts already read; None where a run starts anew."""
        folder = self.checkpoints.newest()
        if folder:
            for part in self.parts:
                part.read(folder)
        return folder

    def done(self) -> None:
        """The outputs are written: nothing is left to take up."""
        self.checkpoints.clear()


@contextmanager
def keeping(key: Key, every: int, parts: Sequence[Part], device: torch.device) -> Iterator[Keeper | None]:
    """Yield the keeper of the run ``key``; None where ``every`` is 0 or the same run is at work elsewhere."""
    if every and os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true":
        print("training: no checkpoints are kept of weights that FSDP shards", file=sys.stderr)
        every = 0
    if not every:
        yield None
        return
    with opened(key, leads=rank() == 0) as checkpoints:
        agreed = total([checkpoints is not None], device)[0] == world()
        yield Keeper(checkpoints, every, parts) if checkpoints and agreed else None


class Resumable:
    """Before a transformers Trainer among the parents: its checkpoints become ours.

    ``tally`` holds sums since the last point of the curve, ``losses`` the sum of all steps' losses.
    """

    keeper: Keeper | None = None
    tally: Tally
    losses: float = 0.0
    _resumed: dict[str, Any] | None = None

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        if self.keeper:
            self.keeper.save(self)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        folder = Path(resume_from_checkpoint)
        put(self.model, load_file(folder / WEIGHTS), folder)  # type: ignore[attr-defined]
        self._resumed = json.loads((folder / STATE).read_text(encoding="utf-8"))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint and self._resumed:
            tensors = load_file(Path(checkpoint) / OPTIMISER)
            _put_optimiser(self.optimizer, self._resumed["optimiser"], tensors)  # type: ignore[attr-defined]
            self.lr_scheduler.load_state_dict(self._resumed["schedule"])  # type: ignore[attr-defined]

    def _load_scaler(self, checkpoint: str | None) -> None:
        """There is none: no autocast."""

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint and self._resumed:
            _put_chance(self._resumed["chance"], load_file(Path(checkpoint) / CHANCE))

    def _run_epoch(self, *args: Any, **kwargs: Any) -> None:
        if not self.control.should_training_stop:  # type: ignore[attr-defined]
            super()._run_epoch(*args, **kwargs)  # type: ignore[misc]

    def take_up(self) -> None:
        """Called when training begins: set the sums behind means, and whether the run had ended."""
        if self._resumed is None:
            return
        self.tally.sums, self.losses = self._resumed["tally"], self._resumed["losses"]
        self.control.should_training_stop = self._resumed["ended"]  # type: ignore[attr-defined]


def trainable(model: Any) -> dict[str, Tensor]:
    """The weights that training changes, by name."""
    return {name: parameter.detach() for name, parameter in model.named_parameters() if parameter.requires_grad}


def put(model: Any, weights: Mapping[str, Tensor], where: object) -> None:
    """Set the trainable weights. Raises IntegrityFailure unless names and shapes are the model's own."""
    own = trainable(model)
    if {name: tensor.shape for name, tensor in own.items()} != {name: t.shape for name, t in weights.items()}:
        raise IntegrityFailure("these weights belong to another adapter", where=where, fix="remove them and run again")
    for name, tensor in own.items():
        tensor.copy_(weights[name])


def _write(trainer: Any, folder: Path) -> None:
    save_file({name: tensor.contiguous() for name, tensor in trainable(trainer.model).items()}, folder / WEIGHTS)
    optimiser, tensors = _split(trainer.optimizer.state_dict())
    save_file(tensors, folder / OPTIMISER)
    trainer.state.save_to_json(folder / PROGRESS)
    generator = np.random.get_state(legacy=False)
    state = {
        "optimiser": optimiser,
        "schedule": trainer.lr_scheduler.state_dict(),
        "chance": {"python": random.getstate(), "numpy": generator | {"state": _listed(generator["state"])}},
        "tally": trainer.tally.sums,
        "losses": trainer.losses,
        "ended": trainer.control.should_training_stop,
    }
    (folder / STATE).write_text(json.dumps(state), encoding="utf-8")


def _split(state: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """An optimiser's state as plain numbers and as tensors. Raises UsageFailure for one that keeps anything else."""
    tensors: dict[str, Tensor] = {}
    plain: dict[str, Any] = {"groups": state["param_groups"], "state": {}}
    for number, values in state["state"].items():
        plain["state"][str(number)] = {n: v for n, v in values.items() if not isinstance(v, Tensor)}
        for name, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"{number}.{name}"] = value.detach().contiguous()
    try:
        json.dumps(plain)
    except TypeError as error:
        raise UsageFailure(
            "this optimiser's state cannot be kept in checkpoints",
            where="train.optimizer",
            why=str(error),
            fix="choose adamw_torch, or set train.save_every: 0 (a killed run then starts anew)",
        ) from None
    return plain, tensors


def _put_optimiser(optimiser: Any, plain: dict[str, Any], tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Any]] = {int(number): dict(values) for number, values in plain["state"].items()}
    for name, tensor in tensors.items():
        number, kind = name.split(".", 1)
        state[int(number)][kind] = tensor
    groups = [
        {n: tuple(v) if isinstance(own.get(n), tuple) else v for n, v in group.items()}
        for group, own in zip(plain["groups"], optimiser.param_groups, strict=True)
    ]
    optimiser.load_state_dict({"state": state, "param_groups": groups})


def _chance(trainer: Any) -> dict[str, Tensor]:
    """The states of torch's generators, of every process."""
    device = trainer.args.device
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return {name: gathered(state.to(device)[None]).cpu() for name, state in states.items()}


def _put_chance(plain: dict[str, Any], states: Mapping[str, Tensor]) -> None:
    version, numbers, normal = plain["python"]
    random.setstate((version, tuple(numbers), normal))
    inner = {name: np.array(v, dtype=np.uint32) if name == "key" else v for name, v in plain["numpy"]["state"].items()}
    np.random.set_state(plain["numpy"] | {"state": inner})
    torch.set_rng_state(states["cpu"][rank()].clone())
    if "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"][rank()].clone())


def _listed(state: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in state.items()}
