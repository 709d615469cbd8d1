"""``persuasion purge`` on real DVC: the objects that hold forgotten rows go from cache and remote, and nothing else."""

import json
import shutil
from pathlib import Path

import pytest

from persuasion.lab import purging, versions
from tests.project import run
from tests.test_forget import cli, commit, dvc, forget, held, project, ran  # noqa: F401 - its fixtures


def purge(at: Path, *arguments: str, ok: bool = True) -> dict:
    return json.loads(cli(at, "purge", "--json", *arguments, ok=ok).stdout)


def objects(at: Path) -> dict[str, set[str]]:
    return {store.name: set(store.objects) for store in versions.stores(at)[0]}


@pytest.fixture
def honoured(project):  # noqa: F811
    """The project after a removal was honoured and committed."""
    (project / "data/removals.txt").open("a").write("t1_a\n")
    dvc(project, "repro", "--quiet")
    commit(project, "honoured")
    return project


@pytest.mark.slow
def test_what_holds_the_rows_is_listed_with_sizes_and_goes_while_the_rest_stays(honoured):
    before = objects(honoured)
    told = purge(honoured)
    assert not told["removed"] and objects(honoured) == before
    assert {one["place"] for one in told["objects"]} == {"cache", "remote store"}
    sizes = {one["md5"]: one["bytes"] for one in told["objects"] if one["place"] == "cache"}
    stored = honoured / ".dvc/cache/files/md5"
    assert sizes == {md5: (stored / md5[:2] / md5[2:]).stat().st_size for md5 in sizes}
    assert told["bytes"] == sum(one["bytes"] for one in told["objects"])
    assert purge(honoured, "--yes")["removed"]
    for place, names in objects(honoured).items():
        assert before[place] - names == {one["md5"] for one in told["objects"] if one["place"] == place}
    assert not held(forget(honoured)) and not purge(honoured)["objects"]
    assert "Data and pipelines are up to date" in run(honoured, "dvc", "repro").stdout
    assert "No object of another version holds them." in cli(honoured, "purge").stdout
    run(honoured, "dvc", "push", "--quiet")
    shutil.rmtree(honoured / ".dvc/cache")
    run(honoured, "dvc", "pull", "--quiet", "--force")
    cli(honoured, "verify", "--remote", "store")


@pytest.mark.slow
def test_a_present_version_with_the_rows_is_never_touched(project):  # noqa: F811
    (project / "data/removals.txt").open("a").write("t1_a\n")
    before = objects(project)
    done = cli(project, "purge", "--yes", ok=False)
    assert done.returncode == 3 and "dvc repro" in done.stderr and objects(project) == before
    assert "data/pairs" in purge(project)["present"]
    assert cli(project, "purge", "--yes", "--dry-run", ok=False).returncode == 2


@pytest.mark.slow
def test_a_purge_that_breaks_off_finds_the_rest_and_a_remote_that_is_away_is_exit_5(honoured, monkeypatch):
    wanted = {(one["place"], one["md5"]) for one in purge(honoured)["objects"]}
    (honoured.parent / "store").rename(honoured.parent / "away")
    done = cli(honoured, "purge", "--yes", ok=False)
    assert done.returncode == 5 and "store" in done.stderr
    (honoured.parent / "away").rename(honoured.parent / "store")
    left = {(one["place"], one["md5"]) for one in purge(honoured)["objects"]}
    assert left == {one for one in wanted if one[0] == "remote store"}
    (store,) = (one for one in versions.stores(honoured)[0] if one.name == "remote store")
    told = purging.purge(honoured, yes=False)
    order = {out.path: n for version in versions.history(honoured).versions for n, out in enumerate(version.outputs)}
    kind, removed = type(store.database.fs), []
    real = kind.remove

    def breaking(self, path):
        if len(removed) == 3:
            raise OSError("Connection reset by peer")
        removed.append(path)
        real(self, path)

    monkeypatch.setattr(kind, "remove", breaking)
    with pytest.raises(purging.RemoteFailure, match="to the end"):
        purging._remove(store, told.objects, order)
    monkeypatch.undo()
    rest = {(one["place"], one["md5"]) for one in purge(honoured)["objects"]}
    assert len(rest) == len(left) - 3 and rest < left
    purge(honoured, "--yes")
    assert not held(forget(honoured))
