"""Units of work on an existing Ray cluster: the same units, read by the same code, elsewhere.

Ray schedules; nothing of that is ours. Every machine must see ``source.path`` at the same place
(a shared file system) and have this project's packages; this project's own code is sent along.
Parts come back as Arrow tables and are joined here.
"""

import logging
import os
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from persuasion.config import Source
from persuasion.engine import Saved, save_part
from persuasion.errors import Failure, SurroundingsFailure
from persuasion.parts import Part
from persuasion.units import Unit, read_unit


def read_parts(units: Sequence[Unit], source: Source, scratch: Path) -> list[list[Saved]]:
    """Read every unit to parts in ``scratch``; return them by unit, in order.

    Raises SurroundingsFailure when Ray is not installed, no cluster answers or a machine is lost, and
    a unit's own failure as it is.
    """
    ray = _connected()
    read = ray.remote(num_returns="streaming", max_retries=0)(_read)
    source = replace(source, path=str(Path(source.path).resolve()))  # workers have another current folder
    try:
        # all begin at once, as far as there is room
        streams = [read.remote(_resolved(unit), source) for unit in units]
        return [_saved(ray, stream, scratch / f"unit{number}") for number, stream in enumerate(streams)]
    except ray.exceptions.RayTaskError as error:
        raise error.cause if isinstance(error.cause, Failure) else _lost(error) from None
    except ray.exceptions.RayError as error:
        raise _lost(error) from None
    finally:
        ray.shutdown()


def _resolved(unit: Unit) -> Unit:
    return replace(unit, inputs=tuple(replace(one, path=one.path.resolve()) for one in unit.inputs))


def _read(unit: Unit, source: Source) -> Iterator[tuple[str, Part]]:
    yield from read_unit(unit, source)


def _saved(ray: Any, stream: Any, folder: Path) -> list[Saved]:
    folder.mkdir(parents=True)
    found = []
    for number, piece in enumerate(stream):
        name, part = ray.get(piece)
        found.append(save_part(part, name, folder / str(number)))
    return found


def _connected() -> Any:
    """Ray, connected to the cluster of RAY_ADDRESS or of this machine."""
    try:
        import ray
    except ImportError:
        raise SurroundingsFailure(
            "Ray is not installed", where="source.engine", fix="pip install 'persuasion[ray]', or set it to local"
        ) from None
    _require_answer(os.environ.get("RAY_ADDRESS", ""))
    package = str(Path(__file__).parent)
    try:
        ray.init(
            address="auto", log_to_driver=False, logging_level=logging.ERROR, runtime_env={"py_modules": [package]}
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _no_cluster(str(error)) from None
    return ray


def _require_answer(address: str) -> None:
    """Raise SurroundingsFailure when nobody listens at HOST:PORT: Ray itself would try for many minutes."""
    named = re.fullmatch(r"(?:ray://)?([^:/\s]+):(\d{1,5})", address)
    if not named:
        return
    try:
        socket.create_connection((named[1], int(named[2])), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(str(error)) from None


def _no_cluster(why: str) -> SurroundingsFailure:
    return SurroundingsFailure(
        "no Ray cluster answers",
        where="source.engine",
        why=why.partition("\n")[0],
        fix="start one (`ray start --head`) or name it in RAY_ADDRESS, or set source.engine to local",
    )


def _lost(error: Exception) -> SurroundingsFailure:
    return SurroundingsFailure(
        "the Ray cluster did not finish the work",
        why=f"{type(error).__name__}: {error}".partition("\n")[0],
        fix="see the cluster's own logs; run the same command again to continue",
    )
