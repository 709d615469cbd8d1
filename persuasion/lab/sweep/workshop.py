"""A private clone of the project at the study's commit, in which trials run.

`dvc exp run --temp` and `--queue` stash, detach and reset the workspace that they are called in, for a second or
two: edits saved at that moment are lost, edits saved before leak into the trial, and a kill leaves the mess.
So no trial is started from the user's own workspace. The clone shares DVC's cache, so it holds nothing but what
git tracks; the experiments made in it are fetched into the project as they come. After a kill it is thrown away.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from persuasion.errors import SurroundingsFailure
from persuasion.files import remove
from persuasion.lab import versions
from persuasion.lab.sweep import evidence, owners

_TEMPORARY = Path(".dvc/tmp/exps")
_CHECKPOINTS = Path(".persuasion/checkpoints")
_STALE = 10.0  # seconds after which a lock of a git ref, held for milliseconds, is one that a kill left


class Workshop:
    """One clone; ``folder`` is its place, ``project`` the repository that experiments go to.

    ``crowded``: other trials compute beside the one here.
    """

    def __init__(self, folder: Path, project: Path, baseline: str, study: str, *, crowded: bool = False) -> None:
        self.folder, self.project, self.baseline, self.study = folder, project, baseline, study
        self.crowded = crowded

    @property
    def environment(self) -> dict[str, str]:
        """For whatever runs here; the mark lets a later process find what is left of it."""
        site = str(self.folder / ".git/dvc-site")  # else DVC keeps a folder for every temporary workspace in /var/tmp
        named = {owners.MARK: str(self.folder), "DVC_SITE_CACHE_DIR": site, "DVC_NO_ANALYTICS": "1"}
        # the study's mirror shows its trials: a training that did so itself would be a second run of one trial
        others = ("GIT_", "DVC_EXP", "DVC_ROOT", "MLFLOW_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        if self.crowded:  # threads that wait for each other must sleep, not spin; what they compute is the same
            kept.setdefault("OMP_WAIT_POLICY", "passive")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"  # the stages' `python`
        return kept | named | {"PATH": path}

    def open(self, cache: str) -> None:
        """Make the clone anew, after what an earlier one left has been ended, saved and removed."""
        self.clear()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._git("clone", "--quiet", "--no-checkout", str(self.project), str(self.folder), here=self.project)
        for name in ("user.name", "user.email"):
            value = versions.git(self.project, "config", name).strip() or "persuasion"
            self._git("config", name, value)
        self._git("config", "commit.gpgsign", "false")
        self._git("config", "gc.auto", "0")
        self._git("checkout", "--quiet", "--detach", self.baseline)
        self._configure(cache)
        kept = self.project / _CHECKPOINTS  # a training that was killed goes on from there, in whatever clone
        kept.mkdir(parents=True, exist_ok=True)
        (self.folder / _CHECKPOINTS).parent.mkdir(exist_ok=True)
        (self.folder / _CHECKPOINTS).symlink_to(kept, target_is_directory=True)

    def _configure(self, cache: str) -> None:
        local = self.folder / ".dvc/config.local"
        with suppress(FileNotFoundError):
            local.write_bytes((self.project / ".dvc/config.local").read_bytes())
            local.chmod(0o600)
        self._dvc("config", "--local", "cache.dir", cache)

    def publish(self) -> list[str]:
        """Fetch this study's experiments into the project; return their names. Never overwrites one there."""
        space = evidence.ref(self.baseline, "")
        found = versions.git(self.folder, "for-each-ref", "--format=%(refname)", space.rstrip("/")).split()
        ours = [name for name in found if name.startswith(f"{space}{self.study}-")]
        for name in ours:
            if not versions.git(self.project, "rev-parse", "--verify", "--quiet", name):
                self._git("fetch", "--quiet", "--no-tags", str(self.folder), f"{name}:{name}", here=self.project)
        return [name.removeprefix(space) for name in ours]

    def push(self, name: str) -> None:
        """Send an experiment's outputs, and DVC's notes of runs, to the default remote. Raises SurroundingsFailure.

        ``dvc push --run-cache`` sends the notes alone, which help nobody without the outputs.
        """
        rev = evidence.revision(self.project, self.baseline, name)
        code = "import sys; from dvc.repo import Repo; Repo(sys.argv[1]).push(revs=[sys.argv[2]], run_cache=True)"
        self._run([sys.executable, "-c", code, str(self.project), rev], self.environment)

    def tidy(self) -> None:
        """Remove what a trial that did not end well left: temporary workspaces, stashes, a detached or edited HEAD.

        Only while nothing runs here.
        """
        for stale in ("standalone", "celery", "run"):
            remove(self.folder / _TEMPORARY / stale)
        for copy in (self.folder / _TEMPORARY).glob("tmp*"):
            remove(copy)
        for lock in (*(self.folder / ".git").rglob("*.lock"), self.folder / ".dvc/tmp/rwlock"):
            lock.unlink(missing_ok=True)
        for name in versions.git(self.folder, "for-each-ref", "--format=%(refname)", "refs/exps").split():
            if not name.startswith(evidence.ref(self.baseline, "")):
                versions.git(self.folder, "update-ref", "-d", name)
        self.restore()

    def restore(self) -> None:
        """Bring the files back to the study's commit, after a `dvc exp run` that was cut off while it changed them.

        Experiments that run here meanwhile are not touched: they have temporary workspaces.
        """
        long_ago = time.time() - _STALE
        for lock in (*(self.folder / ".git").glob("*.lock"), *(self.folder / ".git/refs").rglob("*.lock")):
            with suppress(FileNotFoundError):
                if lock.name == "index.lock" or lock.stat().st_mtime < long_ago:
                    lock.unlink()
        versions.git(self.folder, "update-ref", "-d", "refs/stash")
        versions.git(self.folder, "checkout", "--quiet", "--force", "--detach", self.baseline)
        versions.git(self.folder, "clean", "--quiet", "--force", "-d")

    def clear(self) -> None:
        """End what still runs here, save its experiments, remove the clone."""
        owners.reap(self.folder)
        if (self.folder / ".git").is_dir():
            self.publish()
        remove(self.folder)

    def copies(self) -> list[Path]:
        """The temporary workspaces of the trials that run here."""
        found = (self.folder / _TEMPORARY).glob("standalone/tmp*")
        return sorted([*found, *(self.folder / _TEMPORARY).glob("tmp*")])

    def _git(self, *arguments: str, here: Path | None = None) -> None:
        self._run(["git", "-C", str(here or self.folder), *arguments])

    def _dvc(self, *arguments: str) -> None:
        self._run([sys.executable, "-m", "dvc", *arguments], self.environment)

    def _run(self, command: list[str], environment: Mapping[str, str] | None = None) -> None:
        done = subprocess.run(  # noqa: S603
            command, cwd=self.folder if self.folder.is_dir() else None, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
            raise SurroundingsFailure(f"{' '.join(command[:4])} failed", where=self.folder, why=said, fix="see why")


def cache_of(project: Path) -> str:
    """DVC's cache, which all clones share."""
    from dvc.repo import Repo

    with Repo(str(project)) as repo:
        return str(repo.cache.local_cache_dir)
