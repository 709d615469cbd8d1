"""The commands that share versions: get, push, pull, verify, purge, doctor. Imports what it needs when it runs."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

JSON = typer.Option("--json", help="Print it as JSON.")
REMOTE = typer.Option("-r", "--remote", metavar="NAME", help="Default: the default remote.")


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog="Example: persuasion get adapter --rev 'adapter#prod' -o adapter")(get)
    app.command(epilog="Example: persuasion push")(push)
    app.command(epilog="Example: persuasion pull data/pairs")(pull)
    app.command(epilog="Example: persuasion verify --remote store")(verify)
    app.command(epilog="Example: persuasion purge --dry-run")(purge)
    app.command(epilog="Example: persuasion doctor --json")(doctor)


def get(
    what: Annotated[Literal["pairs", "threads", "adapter", "base", "report"], typer.Argument(help="Which output.")],
    rev: Annotated[
        str | None,
        typer.Option(
            metavar="REV", help="Tag, branch, commit, experiment, v1.0.0 or #prod. Default: the newest commit."
        ),
    ] = None,
    repo: Annotated[str | None, typer.Option(metavar="URL", help="Path or git address. Default: this project.")] = None,
    out: Annotated[str | None, typer.Option("-o", "--out", metavar="DIR", help="Default: its own name, here.")] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Fetch one output of any version without cloning, checked against that version's dvc.lock."""
    from dataclasses import asdict

    from persuasion.lab import getting

    got = getting.get(what, rev=rev, repo=repo, out=out)
    if as_json:
        print(json.dumps(asdict(got), indent=2, sort_keys=True))
    else:
        how = "Fetched" if got.fetched else "There  "
        print(f"{how}   {got.out}: {got.files} files, {got.bytes:,} bytes\nRevision  {got.rev}\nHash      {got.md5}")


def push(
    targets: Annotated[list[str] | None, typer.Argument(metavar="TARGET…", help="Default: everything.")] = None,
    remote: Annotated[str | None, REMOTE] = None,
) -> None:
    """Send outputs to a remote, as `dvc push` does; never asks for a password. Exit 5 where the remote refuses."""
    from persuasion.lab import transfers
    from persuasion.lab.workspace import top

    print(transfers.push(top(Path.cwd()), targets or (), remote))


def pull(
    targets: Annotated[list[str] | None, typer.Argument(metavar="TARGET…", help="Default: everything.")] = None,
    remote: Annotated[str | None, REMOTE] = None,
) -> None:
    """Fetch outputs from a remote, as `dvc pull` does, and hash them. Exit 5 for the remote, 7 for wrong bytes."""
    from persuasion.lab import transfers
    from persuasion.lab.workspace import top

    print(transfers.pull(top(Path.cwd()), targets or (), remote))


def verify(
    remote: Annotated[
        list[str] | None, typer.Option("-r", "--remote", metavar="NAME", help="Hash this one too.")
    ] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Remove corrupt objects, so that they come anew.")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Hash outputs, cache and, on request, remotes against dvc.lock. Exit 7 when anything differs."""
    from persuasion.lab import verifying
    from persuasion.lab.workspace import top

    told = verifying.verify(top(Path.cwd()), remote or (), repair=repair)
    print(json.dumps(verifying.as_json(told), indent=2, sort_keys=True) if as_json else verifying.text(told))
    if told.findings:
        sys.stdout.flush()
        raise verifying.failure(told)


def purge(
    yes: Annotated[bool, typer.Option("--yes", help="Remove them.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List only, as without any option.")] = False,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """List the objects of cache and remotes, of versions other than the present one, that hold forgotten rows.

    Exit 3 when the present version holds some itself, 5 when a remote could not be looked into.
    """
    from persuasion.errors import UsageFailure
    from persuasion.lab import purging

    if yes and dry_run:
        raise UsageFailure("--yes and --dry-run were both given", fix="give one")
    told = purging.purge(Path.cwd(), yes=yes)
    print(json.dumps(purging.as_json(told), indent=2, sort_keys=True) if as_json else purging.text(told))
    sys.stdout.flush()
    if yes:
        purging.require_reached(told)


def doctor(as_json: Annotated[bool, JSON] = False) -> None:
    """Look at environment, git, DVC and its remotes, MLflow, Optuna, GPU and disk. Exit 4 when a line says fail."""
    from dataclasses import asdict

    from persuasion.errors import SurroundingsFailure
    from persuasion.lab import doctor as examining
    from persuasion.lab.workspace import top

    lines = examining.examine(top(Path.cwd()))
    print(json.dumps([asdict(line) for line in lines], indent=2) if as_json else examining.text(lines))
    failed = [line.name for line in lines if line.state == examining.FAIL]
    if failed:
        sys.stdout.flush()
        raise SurroundingsFailure(f"{', '.join(failed)}: see the line above", fix="each line has its fix")
