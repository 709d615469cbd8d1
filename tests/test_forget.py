"""``persuasion forget`` on real DVC: what holds a row is listed, and gone after the steps it prints."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from persuasion.lab import traces, versions
from persuasion.pseudonyms import pseudonym
from persuasion.removals import read_removals
from tests.closures import ROOT
from tests.project import change, run

# a pipeline in miniature: the outputs that forget must tell apart, and real removals
STAGES = """
import json, pathlib, sys
import pyarrow as pa, pyarrow.parquet as pq
from persuasion.removals import read_removals

def write(path, rows):
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)

def read(path):
    return pq.read_table(path).to_pylist()

def extract():
    gone = read_removals(pathlib.Path("data/removals.txt"))
    posts = [p for p in json.load(open("raw.json")) if not {p["id"], p["author"]} & (gone.ids | gone.authors)]
    said = [{**c, "thread_id": p["id"], "parent_id": p["id"]} for p in posts for c in p["comments"]]
    said = [c for c in said if not {c["id"], c["author"]} & (gone.ids | gone.authors)]
    write("data/threads/comments.parquet", said)
    write("data/threads/submissions.parquet", [{"id": p["id"], "author": p["author"]} for p in posts])
    receipt = [{"removal": entry} for entry in sorted(gone.ids | gone.authors)]
    pathlib.Path("data/threads/removed.jsonl").write_text("".join(json.dumps(row) + "\\n" for row in receipt))

def pair():
    by = {}
    for c in read("data/threads/comments.parquet"):
        by.setdefault(c["thread_id"], []).append(c)
    pairs = [
        {"pair_id": f"p_{a['id']}", "thread_id": t, "chosen_id": a["id"], "rejected_id": b["id"], "chosen": a["body"],
         "chosen_author": a["author"], "rejected_author": b["author"]}
        for t, (a, b, *_) in ((t, c) for t, c in by.items() if len(c) > 1)
    ]
    write("data/pairs/train.parquet", pairs)
    write("data/pairs/splits.parquet", [{"thread_id": t, "split": "train"} for t in by])
    threads = [{"thread_id": t, "completions": [x["body"] for x in c]} for t, c in by.items()]
    write("data/corpus/train.parquet", threads)

def train():
    pathlib.Path("models/adapter").mkdir(parents=True)
    rows = read("data/pairs/train.parquet")
    pathlib.Path("models/adapter/weights").write_text(json.dumps([rows, open("params.yaml").read()]))
    pathlib.Path("models/adapter/config.json").write_text("{}")
    pathlib.Path("curves").mkdir(exist_ok=True)
    pathlib.Path("curves/loss.tsv").write_text(f"{len(rows)}")
    write("data/verdicts.parquet", [{"pair_id": row["pair_id"], "margin": 0.5} for row in rows])

def report():
    pathlib.Path("report").mkdir()
    pathlib.Path("report/index.html").write_text("page of " + open("models/adapter/weights").read())

globals()[sys.argv[1]]()
"""
MAP = """
stages:
  extract: {cmd: python made.py extract, deps: [raw.json, data/removals.txt], outs: [data/threads]}
  pair: {cmd: python made.py pair, deps: [data/threads], outs: [data/pairs, data/corpus]}
  train:
    cmd: python made.py train
    deps: [data/pairs]
    params: [train.seed]
    outs: [models/adapter, data/verdicts.parquet, curves: {cache: false}]
  report: {cmd: python made.py report, deps: [models/adapter, curves], outs: [report]}
"""
AUTHOR, OTHER = "u_00000000000000aa", "u_00000000000000bb"
EVERYWHERE = {"data/corpus", "data/pairs", "data/threads", "data/verdicts.parquet", "models/adapter", "report"}


def said(id_: str, author: str = OTHER) -> dict[str, str]:
    return {"id": f"t1_{id_}", "author": author, "body": f"What {id_} says."}


RAW = [
    {"id": "t3_one", "author": OTHER, "comments": [said("a"), said("b", AUTHOR), said("c")]},
    {"id": "t3_two", "author": OTHER, "comments": [said("d"), said("e")]},
    {"id": "t3_own", "author": AUTHOR, "comments": [said("f"), said("g")]},
    {"id": "t3_few", "author": OTHER, "comments": [said("h")]},
]


def cli(project: Path, *arguments: str, ok: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    settings = {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(project.parent / "settings"), **env}
    return run(project, sys.executable, "-m", "persuasion.lab.cli", *arguments, ok=ok, **settings)


def forget(project: Path, *arguments: str) -> dict:
    return json.loads(cli(project, "forget", *arguments, "--json").stdout)


def held(told: dict, place: str = "") -> set[str]:
    return {one["path"] for one in told["holdings"] if not place or place in one["places"]}


def dvc(project: Path, *arguments: str) -> None:
    run(project, "dvc", *arguments, PYTHONPATH=str(ROOT))


def commit(project: Path, message: str) -> None:
    run(project, "git", "add", "--all")
    run(project, "git", "commit", "--quiet", "--message", message)


def small(folder: Path) -> Path:
    """A project with git, DVC, params and an empty removals file, nothing run yet."""
    project = folder / "project"
    (project / "data").mkdir(parents=True)
    shutil.copyfile(ROOT / "params.yaml", project / "params.yaml")
    shutil.copyfile(ROOT / "data/removals.txt", project / "data/removals.txt")
    change(project, {"source.path": "raw.json", "source.pseudonym_key_file": str(folder / "key")})
    (folder / "key").write_text("a key of these tests alone")
    (project / "raw.json").write_text(json.dumps(RAW))
    (project / "made.py").write_text(STAGES)
    (project / "dvc.yaml").write_text(MAP)
    run(project, "git", "init", "--quiet")
    for name, value in (("user.name", "test"), ("user.email", "test@localhost"), ("commit.gpgsign", "false")):
        run(project, "git", "config", name, value)
    dvc(project, "init", "--quiet")
    return project


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> Path:
    """The project after two commits and an experiment, all pushed to a remote folder."""
    folder = tmp_path_factory.mktemp("forget")
    project = small(folder)
    (folder / "store").mkdir()
    dvc(project, "remote", "add", "--default", "store", str(folder / "store"))
    dvc(project, "repro", "--quiet")
    commit(project, "first")
    dvc(project, "exp", "run", "--quiet", "--name", "slow-seed", "--set-param", "train.seed=7")
    dvc(project, "push", "--quiet")
    (project / "raw.json").write_text(
        json.dumps([*RAW, {**RAW[1], "id": "t3_new", "comments": [said("i"), said("j")]}])
    )
    dvc(project, "repro", "--quiet")
    commit(project, "second")
    dvc(project, "push", "--quiet", "--all-commits")
    return project


@pytest.fixture
def project(ran, tmp_path) -> Path:
    """A copy of ``ran`` to change."""
    shutil.copytree(ran.parent, tmp_path / "copy", symlinks=True)
    run(tmp_path / "copy/project", "dvc", "remote", "modify", "store", "url", str(tmp_path / "copy/store"))
    commit(tmp_path / "copy/project", "moved")
    return tmp_path / "copy/project"


@pytest.mark.slow
def test_every_version_is_listed_and_gone_after_the_printed_steps(project):
    told = forget(project, "t1_a")
    assert (
        told["added"] == ["t1_a"] and not told["notes"] and "t1_a" in read_removals(project / "data/removals.txt").ids
    )
    for place in ("workspace", "cache", "remote store"):
        assert held(told, place) == EVERYWHERE
    threads = [one for one in told["holdings"] if one["path"] == "data/threads" and one["md5"]]
    assert len(threads) == 2 and {one["rows"] for one in threads} == {1}
    adapters = [one for one in told["holdings"] if one["path"] == "models/adapter" and one["md5"]]
    assert {one["how"] for one in adapters} == {"made from"} and len(adapters) == 3
    assert any("experiment slow-seed" in one["revisions"] for one in adapters)
    assert told["steps"][-1] == "persuasion forget" and any("exp remove slow-seed" in step for step in told["steps"])
    for step in told["steps"][:-1]:
        run(project, "bash", "-c", f"{step} --force" if " gc " in step else step, PYTHONPATH=str(ROOT))
    after = forget(project)
    assert after["entries"] == ["t1_a"] and not after["holdings"] and not after["steps"] and not after["unnamed"]
    assert "t3_few" in {row["id"] for row in _rows(project / "data/threads/submissions.parquet")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("entry", "paths"),
    [
        ("t3_few", {"data/corpus", "data/pairs", "data/threads"}),  # one comment makes no pair: no model saw it
        ("t1_c", {"data/corpus", "data/threads"}),  # nor is the third of a thread paired
        (AUTHOR, EVERYWHERE),
        ("t3_two", EVERYWHERE),
        ("t1_zzz", set()),
    ],
)
def test_only_what_a_row_reached_is_listed(project, entry, paths):
    told = forget(project, entry, "--dry-run")
    assert told["dry_run"] and not told["notes"]
    assert held(told, "cache") == held(told, "remote store") == held(told, "workspace") == paths
    assert not read_removals(project / "data/removals.txt").ids | read_removals(project / "data/removals.txt").authors


@pytest.mark.slow
def test_what_only_the_remote_has_is_looked_into_there_and_what_no_revision_names_too(project):
    shutil.rmtree(project / ".dvc/cache")
    shutil.rmtree(project / "data/threads")
    told = forget(project, AUTHOR)
    assert held(told, "remote store") == EVERYWHERE and not held(told, "cache")
    run(project, "git", "checkout", "--quiet", "--orphan", "anew")
    (project / "dvc.lock").unlink()
    commit(project, "anew")
    for ref in set(run(project, "git", "for-each-ref", "--format=%(refname)").stdout.split()) - {"refs/heads/anew"}:
        run(project, "git", "update-ref", "-d", ref)
    told = forget(project, AUTHOR)
    assert held(told) == {""} and all(one["places"] == ["remote store"] for one in told["holdings"])
    assert not told["added"] and told["unnamed"]["remote store"] > len(told["holdings"])


@pytest.mark.slow
def test_a_remote_that_is_not_there_is_one_line_and_exit_5_when_required(project):
    shutil.rmtree(project.parent / "store")
    done = cli(project, "forget", "t1_a")
    assert sum("Remote store was not looked into" in line for line in done.stdout.splitlines()) == 1
    assert "dvc gc --workspace --cloud --remote store" in done.stdout
    required = cli(project, "forget", "--require-remotes", ok=False)
    assert required.returncode == 5 and "data/pairs" in required.stdout and "store" in required.stderr


@pytest.mark.slow
def test_names_become_pseudonyms_and_are_written_nowhere(project):
    done = cli(project, "forget", "u/Some_Name-7", "https://www.reddit.com/user/Some_Name-7/")
    expected = pseudonym("some_name-7", (project.parent / "key").read_bytes())
    assert read_removals(project / "data/removals.txt").authors == {expected}
    assert (project / "data/removals.txt").read_text().startswith((ROOT / "data/removals.txt").read_text())
    assert expected in done.stdout and "some_name" not in (done.stdout + done.stderr).lower()
    changed = run(project, "git", "status", "--porcelain", "-uall").stdout.split()
    assert changed == ["M", "data/removals.txt"]


@pytest.mark.slow
def test_mlflows_tables_and_experiments_copies_are_named(project):
    table = {"columns": ["epoch", "pair_id"], "data": [[1, "p_t1_a"]]}
    for run_id, content in (("0123", table), ("4567", {**table, "data": [[1, "p_t1_d"]]}), ("89ab", [])):
        place = project / f"mlartifacts/{run_id}/artifacts/tables"
        place.mkdir(parents=True)
        (place / "pairs.json").write_text(json.dumps(content))
    (project / ".dvc/tmp/exps/standalone/tmpleft").mkdir(parents=True)
    told = forget(project, "t1_a")
    assert told["runs"] == ["0123"] and told["copies"] == [".dvc/tmp/exps/standalone/tmpleft"]
    assert "mlflow runs delete --run-id 0123" in told["steps"]


@pytest.mark.slow
def test_links_and_ids_become_entries_and_anything_else_is_refused_without_repeating_it(tmp_path):
    project = small(tmp_path)
    post = "https://www.reddit.com/r/changemyview/comments/1abcd/cmv_naps"
    given = ["t1_x1", f"{post}/", f"{post}/x2/?context=3", "old.reddit.com/r/changemyview/comments/1ABCE/comment/x3/",
             "https://redd.it/1abcf", "t1_x1", OTHER]  # fmt: skip
    told = forget(project, *given)
    assert told["added"] == ["t1_x1", "t3_1abcd", "t1_x2", "t1_x3", "t3_1abcf", OTHER]
    assert not told["holdings"] and not told["steps"]
    for wrong in ("Some_Name", "x1", "t2_x1", "u/[deleted]", f"{post}/x2/ u/a", "https://example.com/comments/a/b/c",
                  "https://www.reddit.com/r/changemyview/s/AbCdEf", "http://[", ""):  # fmt: skip
        done = cli(project, "forget", "t1_new", wrong, ok=False)
        assert done.returncode == 2 and "argument 2" in done.stderr and "Traceback" not in done.stderr
        assert not wrong or wrong not in done.stderr
    assert "t1_new" not in read_removals(project / "data/removals.txt").ids


def test_a_name_without_a_key_is_refused_for_a_new_key_finds_nobody(tmp_path):
    project = small(tmp_path)
    change(project, {"source.pseudonym_key_file": None})
    refused = cli(project, "forget", "u/someone", ok=False)
    assert refused.returncode == 2 and "persuasion key" in refused.stderr and "someone" not in refused.stderr
    made = json.loads(cli(project, "key", "--json").stdout)
    secret = Path(made["path"]).read_bytes().strip()
    assert Path(made["path"]).is_relative_to(tmp_path / "settings") and made["used"] is True
    told = forget(project, "u/someone")
    assert told["added"] == [pseudonym("someone", secret)] and told["fingerprint"] == made["fingerprint"]
    shown = cli(project, "key")
    assert secret.decode() not in shown.stdout + shown.stderr and made["fingerprint"] in shown.stdout
    change(project, {"source.path": "data/raw/sample"})
    assert json.loads(cli(project, "key", "--json").stdout) == {**made, "used": False}


def test_without_dvc_the_entry_is_added_and_the_rest_is_exit_4(tmp_path):
    project = small(tmp_path)
    shutil.rmtree(project / ".dvc")
    done = cli(project, "forget", "t1_x1", ok=False)
    assert done.returncode == 4 and "no DVC repository" in done.stderr and "added" in done.stderr
    assert read_removals(project / "data/removals.txt").ids == {"t1_x1"}


@pytest.mark.slow
def test_without_git_the_workspace_and_the_cache_are_looked_into(tmp_path):
    project = small(tmp_path)
    shutil.rmtree(project / ".git")
    shutil.rmtree(project / ".dvc")
    run(project, "dvc", "init", "--quiet", "--no-scm")
    dvc(project, "repro", "--quiet")
    told = forget(project, "t3_two")
    assert held(told, "workspace") == held(told, "cache") == EVERYWHERE


@pytest.mark.slow
def test_an_unreadable_lock_and_an_unreadable_table_are_notes(tmp_path):
    project = small(tmp_path)
    dvc(project, "repro", "--quiet", "extract")
    commit(project, "first")
    (project / "data/threads/comments.parquet").unlink()
    (project / "data/threads/comments.parquet").write_bytes(b"PAR1 cut off")
    assert any("comments.parquet cannot be read" in note for note in forget(project, "t1_zzz")["notes"])
    (project / "dvc.lock").write_text("stages: [")
    told = forget(project, "t3_two")
    assert any("dvc.lock of workspace cannot be read" in note for note in told["notes"])
    assert "data/threads" in held(told, "cache")


@pytest.mark.slow
def test_a_model_whose_pairs_lie_nowhere_may_hold_rows(tmp_path):
    project = small(tmp_path)
    dvc(project, "repro", "--quiet")
    (listing,) = (path for path in (project / ".dvc/cache/files/md5").glob("*/*.dir") if b"train.parquet" in
                  path.read_bytes() and b"splits" in path.read_bytes())  # fmt: skip
    object_ = next(file["md5"] for file in json.loads(listing.read_text()) if file["relpath"] == "train.parquet")
    (project / ".dvc/cache/files/md5" / object_[:2] / object_[2:]).unlink()
    for output in ("data", "models", "report"):
        shutil.move(project / output, tmp_path / output)
    (project / "data").mkdir()
    told = forget(project, "t1_zzz")
    assert {(one["path"], one["how"]) for one in told["holdings"]} == {
        ("models/adapter", "may hold"),
        ("report", "may hold"),
    }
    assert not told["notes"]


def test_raw_data_that_dvc_tracks_is_named_and_never_looked_into(tmp_path):
    project = small(tmp_path)
    (project / "dump").mkdir()
    (project / "dump/pairs.jsonl").write_text('{"id": "t3_two", "thread_id": "t3_two"}\n')
    dvc(project, "add", "--quiet", "dump")
    commit(project, "first")
    told = forget(project, "t3_two")
    assert told["sources"] == ["raw.json", "dump"] and not told["holdings"] and not told["unnamed"]


def test_a_search_follows_authors_to_ids_and_pairs_but_no_replies():
    def found(rows: list[dict], wanted: traces.Sought) -> traces.Found:
        return traces.find(io.BytesIO("".join(json.dumps(row) + "\n" for row in rows).encode()), wanted)

    said = [{"id": "t1_a", "author": AUTHOR, "thread_id": "t3_p", "parent_id": "t3_p"},
            {"id": "t1_b", "author": OTHER, "thread_id": "t3_p", "parent_id": "t1_a"}]  # fmt: skip
    one = found(said, traces.sought([AUTHOR]))
    assert one.rows == 1 and one.sought.ids == {"t1_a"} and one.sought.threads == {"t3_p"}
    pair = found([{"pair_id": "p_1", "chosen_id": "t1_b", "rejected_id": "t1_a"}, {"pair_id": "p_2"}], one.sought)
    assert pair.rows == 1 and pair.sought.ids == {"t1_a", "p_1"}
    assert found([{"pair_id": "p_1"}, {"pair_id": "p_2"}], pair.sought).rows == 1
    assert (one.texts, pair.texts) == (0, 0) and found([{**said[0], "body": "words"}], one.sought).texts == 1
    reply = found([{"thread_id": "t3_p", "chosen": "text"}, {"thread_id": "t3_q", "chosen": "text"}], one.sought)
    assert (reply.rows, reply.doubtful) == (0, 1)
    split = found([{"thread_id": "t3_p", "split": "train"}], one.sought)
    assert (split.rows, split.doubtful, split.table) == (0, 0, True)
    assert not found([{"removal": "t1_a"}], one.sought).table


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"id": 3}\n', b'{"id": "t1_a"', b"[1]", b"\x00\xff", b'{"a": "t1_a"}\n[]']
)
def test_what_is_no_table_of_ours_holds_nothing(content):
    assert not traces.find(io.BytesIO(content), traces.sought(["t1_a"])).rows


def test_touching_paths():
    assert versions.touch("data/raw", "data/raw/sample") and versions.touch("data/raw/sample", "data/raw")
    assert not versions.touch("data/raw", "data/rawer") and versions.touch("a", "a")


def _rows(path: Path) -> list[dict]:
    import pyarrow.parquet as pq

    return pq.read_table(path).to_pylist()
