"""Push and pull against plain copying to the same servers: rsync over SSH, ``aws s3 cp`` to S3. Real servers, loopback.

Ours is ``persuasion push`` and ``pull``, so hashing what came is in it; copying checks nothing. What dominates ours is
told from a push of nothing (start), one of the large files alone, and the rest. Needs tests/servers/install.

``python -m benchmarks.remote [--quick]``
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.timing import last_line, table
from persuasion.errors import IntegrityFailure, SurroundingsFailure
from persuasion.files import digest, remove
from tests.servers.running import BUCKET, KEY, PYTHON, SECRET, Sshd, Swift

FOLDERS = ("small", "large")
OURS = (sys.executable, "-m", "persuasion.lab.cli")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many files of how many bytes, and how often."""

    small: int = 10_000
    small_bytes: int = 2_000
    large: int = 3
    large_bytes: int = 50_000_000
    rounds: int = 1


QUICK = Plan(small=100, large_bytes=2_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One server: where ours goes, and the commands that copy there and back."""

    name: str
    url: str
    options: Mapping[str, str]
    there: str
    copy: tuple[str, ...]


def measure(plan: Plan) -> None:
    """Race on both servers; print the table, what dominates, and the last line."""
    for tool in ("rsync", str(PYTHON.with_name("aws"))):
        if not shutil.which(tool):
            raise SurroundingsFailure(f"{Path(tool).name} is not there to race against", fix="tests/servers/install")
    seconds: dict[tuple[str, str], list[float]] = {}
    parts: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="persuasion-remote-") as folder:
        project = _project(Path(folder), plan)
        with ExitStack() as running:
            for place in _places(Path(folder), running):
                for number in range(plan.rounds):
                    for what, took in _round(project, place, number).items():
                        seconds.setdefault((place.name, what), []).append(took)
                parts[place.name] = _parts(project, place, seconds[place.name, "push"][-1])
    _tell(plan, {key: median(every) for key, every in seconds.items()}, parts)


def _tell(plan: Plan, took: Mapping[tuple[str, str], float], parts: Mapping[str, Mapping[str, float]]) -> None:
    names = list(parts)
    rows, ratios = [], {}
    for verb in ("push", "pull"):
        for name in names:
            ours, plain = took[name, verb], took[name, f"copy {verb}"]
            rows.append((f"{verb}, {name}", f"{ours:.1f}", f"{plain:.1f}", f"{plain / ours:.2f}"))
            ratios[f"{verb}_vs_copy_{name}"] = plain / ours
        total = [sum(took[name, what] for name in names) for what in (f"copy {verb}", verb)]
        ratios[f"{verb}_vs_copy"] = total[0] / total[1]
    print(f"{plan.small:,} files of {plan.small_bytes:,} bytes, {plan.large} of {plan.large_bytes:,}\n")
    print(table(("seconds", "ours", "copy", "ratio"), rows), end="\n\n")
    for name, shares in parts.items():
        most = max(shares, key=lambda part: shares[part])
        told = ", ".join(f"{part} {share:.1f} s" for part, share in shares.items())
        print(f"a push over {name}: {told}; what dominates: {most}")
    print(last_line("remote", ratios, plan.rounds))


def _project(folder: Path, plan: Plan) -> Path:
    """Random files, which nothing compresses, added to DVC."""
    project, noise = folder / "project", np.random.default_rng(1)
    for name, count, size in (("small", plan.small, plan.small_bytes), ("large", plan.large, plan.large_bytes)):
        (project / name).mkdir(parents=True)
        for number in range(count):
            (project / name / f"{number:05}.bin").write_bytes(noise.bytes(size))
    (project / "dvc.yaml").write_text("stages:\n  make: {cmd: 'true', outs: [small, large]}\n")
    _run(project, "git", "init", "--quiet")
    _run(project, "dvc", "init", "--quiet")
    _run(project, "dvc", "commit", "--quiet", "--force")
    return project


def _places(folder: Path, running: ExitStack) -> list[Place]:
    """Start both servers, which end with ``running``."""
    for name in ("ssh", "s3"):
        (folder / name).mkdir()
    sshd = Sshd(folder / "ssh")
    running.callback(sshd.kill)
    swift = Swift(folder / "s3")
    running.callback(swift.kill)
    shell = (
        f"ssh -i {folder}/ssh/user_key -p {sshd.port} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -q"
    )
    address = sshd.url.removeprefix("ssh://").partition("@")[0] + f"@127.0.0.1:{folder}/ssh/store"
    aws = str(PYTHON.with_name("aws"))
    return [
        Place(
            name="ssh", url=sshd.url, there=address, copy=("rsync", "-a", "--mkpath", "-e", shell),
            options={"keyfile": f"{folder}/ssh/user_key", "allow_agent": "false"},
        ),
        Place(
            name="s3", url=f"s3://{BUCKET}", there=f"s3://{BUCKET}",
            copy=(aws, "--endpoint-url", swift.endpoint, "s3", "cp", "--recursive", "--only-show-errors"),
            options={"endpointurl": swift.endpoint, "region": "us-east-1"},
        ),
    ]  # fmt: skip


def _round(project: Path, place: Place, number: int) -> dict[str, float]:
    """Seconds of each of the four ways; what came back must be what went."""
    _remote(project, place, f"ours-{number}")
    took = {"push": _timed(project, *OURS, "push")}
    took["copy push"] = sum(_timed(project, *_copy(place, name, number)) for name in FOLDERS)
    sent = [digest(project / name) for name in FOLDERS]
    for name in (*FOLDERS, ".dvc/cache", "../site"):
        remove(project / name)
    took["pull"] = _timed(project, *OURS, "pull")
    came = [digest(project / name) for name in FOLDERS]
    took["copy pull"] = sum(_timed(project, *_copy(place, name, number, project.parent / "back")) for name in FOLDERS)
    copied = [digest(project.parent / "back" / name) for name in FOLDERS]
    remove(project.parent / "back")
    if not sent == came == copied:
        raise IntegrityFailure("what came back is not what went", where=place.name)
    return took


def _copy(place: Place, name: str, number: int, back: Path | None = None) -> tuple[str, ...]:
    """The command that copies a folder there, or ``back`` to a folder here."""
    there = f"{place.there}/copy-{number}/{name}/"
    return (*place.copy, there, f"{back}/{name}/") if back else (*place.copy, f"{name}/", there)


def _parts(project: Path, place: Place, whole: float) -> dict[str, float]:
    """Seconds of a push by what they went into: start, the large files, the small ones."""
    start = _timed(project, *OURS, "push")
    _remote(project, place, "large-alone")
    large = _timed(project, *OURS, "push", "large")
    return {"start": start, "large files": max(large - start, 0.0), "small files": max(whole - large, 0.0)}


def _remote(project: Path, place: Place, name: str) -> None:
    """Make ``name`` on the server the default remote."""
    options = {"url": f"{place.url}/{name}", "verify": "true", **place.options}
    told = "".join(f"    {option} = {value}\n" for option, value in options.items())
    links = "[cache]\n    type = reflink,hardlink,copy\n"
    (project / ".dvc/config").write_text(f"[core]\n    remote = store\n{links}['remote \"store\"']\n{told}")


def _timed(project: Path, *command: str) -> float:
    os.sync()  # what the run before left to be written is not this run's burden
    begun = time.perf_counter()
    _run(project, *command)
    return time.perf_counter() - begun


def _run(project: Path, *command: str) -> None:
    """Run with nothing of this user's settings. Raises SurroundingsFailure where it does not end well."""
    empty = project.parent / "empty"
    with suppress(FileExistsError):
        empty.touch(exist_ok=False)
    env = {
        **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(project.parent / "site"), "DVC_GLOBAL_CONFIG_DIR": str(project.parent / "none"),
        "PYTHONPATH": str(Path(__file__).parents[1]), "SSH_AUTH_SOCK": "", "AWS_CONFIG_FILE": str(empty),
        "AWS_SHARED_CREDENTIALS_FILE": str(empty), "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)  # noqa: S603
    if done.returncode:
        raise SurroundingsFailure(f"{command[0]} failed with exit code {done.returncode}", why=done.stderr[-1500:])


if __name__ == "__main__":
    from persuasion.running import run

    run(lambda: measure(QUICK if "--quick" in sys.argv[1:] else Plan()))
