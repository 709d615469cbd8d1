"""What the machine is at: processor, memory, disk, network and, with nvidia-ml-py, GPUs; named as MLflow names them."""

import time
from contextlib import suppress
from importlib import import_module
from typing import Any

import psutil

from persuasion.lab.workspace import Point

EVERY = 10.0
"""Seconds between readings."""
_MONITORS = {
    "cpu_monitor": "CPUMonitor",
    "disk_monitor": "DiskMonitor",
    "network_monitor": "NetworkMonitor",
    "gpu_monitor": "GPUMonitor",
    "rocm_monitor": "ROCMMonitor",
}


class Gauges:
    """MLflow's own monitors of the whole machine, read now and then; those without a device are left out."""

    def __init__(self) -> None:
        self._monitors: list[Any] = []
        self._due = 0.0
        psutil.cpu_percent()  # which tells of the time since it was asked before
        for module, name in _MONITORS.items():
            with suppress(Exception):  # no GPU, no driver, or its package is not installed
                self._monitors.append(getattr(import_module(f"mlflow.system_metrics.metrics.{module}"), name)())

    def due(self) -> bool:
        """Whether it is time for a reading."""
        return time.monotonic() >= self._due

    def read(self, step: int = 0) -> list[Point]:
        """A reading, as points of the given step."""
        self._due = time.monotonic() + EVERY
        now, found = int(time.time() * 1000), []
        for monitor in self._monitors:
            with suppress(Exception):
                monitor.collect_metrics()
                for name, value in monitor.aggregate_metrics().items():
                    found.append(Point(name=f"system/{name}", value=float(value), step=step, at=now))
            monitor.clear_metrics()
        return found
