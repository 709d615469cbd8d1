"""The project's sample ready to be searched, once for each way of searching it, and what each way found.

The sample is made by the stages themselves, up to `reference`; then every contender gets a copy with a cache of its
own, so that nobody finds what another has trained.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from benchmarks.forked import measured
from benchmarks.ours import ROOT
from benchmarks.timing import Contender
from persuasion.config import load_params
from persuasion.errors import IntegrityFailure
from persuasion.findings import dig
from persuasion.yaml12 import load_yaml
from tests.project import BIN, change, copied, run

BEFORE = ("sample", "extract", "pair", "base", "reference")
METRICS = "metrics/train.json"


def environment(folder: Path) -> dict[str, Any]:
    """Nothing of this user's: programs of this interpreter first, DVC's files in ``folder``, nothing tracked."""
    kept = {name: v for name, v in os.environ.items() if not name.startswith(("MLFLOW_", "DVC_", "PERSUASION_"))}
    own = {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1"}
    return kept | own | {"DVC_SITE_CACHE_DIR": str(folder / "site"), "DVC_GLOBAL_CONFIG_DIR": str(folder / "none")}


def prepared(folder: Path, changes: Mapping[str, Any]) -> Path:
    """The project with ``changes`` to its parameters, run up to `reference` and committed."""
    project = copied(folder / "project", dict(changes))
    for stage in BEFORE:
        import_module(f"stages.{stage}")
    for stage in BEFORE:
        measured(_stage, stage, str(project))
    env = environment(folder)
    run(project, "dvc", "commit", "--quiet", "--force", "--with-deps", "reference", **env)
    _commit(project, env)
    return project


def searched(project: Path, name: str, settings: Mapping[str, Any]) -> Path:
    """A copy of the project beside it, with ``settings`` in its sweep.yaml."""
    copy = project.with_name(name)
    shutil.copytree(project, copy, symlinks=True)
    (copy / "sweep.yaml").write_text(json.dumps(load_yaml(copy / "sweep.yaml") | settings, indent=2), encoding="utf-8")
    _commit(copy, environment(project.parent))
    return copy


def unshared(project: Path, name: str) -> Path:
    """A copy whose `train` makes the reference too, so that every trial asks for it anew."""
    copy = searched(project, name, {})
    tree = yaml.safe_load((copy / "dvc.yaml").read_text(encoding="utf-8"))
    reference, train = tree["stages"].pop("reference"), tree["stages"]["train"]
    made = {name if isinstance(name, str) else next(iter(name)) for name in reference["outs"]}
    train["cmd"] = f"{reference['cmd']} && {train['cmd']}"
    for kind in ("deps", "params", "outs", "metrics", "plots"):
        train[kind] = [*train.get(kind, ()), *(one for one in reference.get(kind, ()) if one not in train[kind])]
    train["deps"] = sorted(set(train["deps"]) - made)
    (copy / "dvc.yaml").write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    _commit(copy, environment(project.parent))
    return copy


def asked(project: Path, trials: int) -> dict[str, Any]:
    """The parameters of the trials, which chance alone decides, so that they are the same for all; and the settings."""
    import optuna

    from persuasion.lab.sweep import proposing, spec, storage

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    search, params = spec.load(project / "sweep.yaml"), load_params(project / "params.yaml")
    study = optuna.create_study()
    with storage.quiet():
        drawn = [dict(proposing.asked(study, search).params) for _ in range(trials)]
    lora = params.lora
    settings = {
        "threads": params.compute.threads,
        "max_length": params.encoding.total_tokens,
        "batch_size": params.train.batch_size,
        "warmup_ratio": params.train.warmup_ratio,
        "seed": params.train.seed,
        "lora": {
            "r": lora.r, "lora_alpha": lora.alpha, "lora_dropout": lora.dropout, "target_modules": lora.targets,
        },
    }  # fmt: skip
    return {"settings": settings, "trials": drawn}


def contender(name: str, folder: Path, *command: str, found: Any = None) -> Contender:
    """A command in a copy, which it can run in once only."""
    given = {"environment": environment(folder.parent), "leavings": (), "found": found}
    return Contender(name=name, command=command, folder=folder, **given)


def figures(project: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """What the experiments have in their metrics. Raises IntegrityFailure where one is missing."""
    refs = run(project, "git", "for-each-ref", "--format=%(refname)", "refs/exps").stdout.split()
    known = {ref.rpartition("/")[2]: ref for ref in refs}
    missing = [name for name in names if name not in known]
    if missing:
        raise IntegrityFailure("experiments are missing", where=project, why=", ".join(missing))
    blobs = [run(project, "git", "cat-file", "blob", f"{known[name]}:{METRICS}").stdout for name in names]
    return [json.loads(blob)["train"] for blob in blobs]


def require_same_work(theirs: Sequence[Mapping[str, float]], own: Sequence[Mapping[str, Any]], tokens: int) -> None:
    """Raise IntegrityFailure where TRL learnt other tokens, took other steps, or came to other losses."""
    for number, (one, other) in enumerate(zip(theirs, own, strict=True)):
        loss = dig(other, "validation.loss")
        if (one["tokens"], one["steps"]) != (tokens, other["steps"]) or abs(one["loss"] - loss) > 0.05:
            why = f"trial {number}: {dict(one)} against {tokens} tokens, {other['steps']} steps, a loss of {loss:.4f}"
            raise IntegrityFailure("the original way did other work, so this is no race", why=why)


def completion_tokens(project: Path) -> int:
    """Tokens of the training pairs' completions, as `reference` counted them."""
    from persuasion.records import Pair, Reference
    from persuasion.tables import read_rows

    rows = {row.pair_id: row for row in read_rows(project / "data/reference/logps.parquet", Reference)}
    pairs = [rows[pair.pair_id] for pair in read_rows(project / "data/pairs/train.parquet", Pair)]
    return sum(row.chosen_tokens + row.rejected_tokens for row in pairs)


def bare(project: Path, name: str, params: Mapping[str, Any]) -> Path:
    """A copy in which `python -m stages.train` is the trial, without DVC, git and Optuna."""
    copy = project.with_name(name)
    shutil.copytree(project, copy, symlinks=True)
    change(copy, dict(params))
    return copy


def _stage(name: str, folder: str) -> str:
    os.chdir(folder)
    import_module(f"stages.{name}").main()
    return name


def _commit(project: Path, env: Mapping[str, Any]) -> None:
    run(project, "git", "add", "--all", **env)
    run(project, "git", "commit", "--quiet", "--allow-empty", "--message", "ready", **env)
