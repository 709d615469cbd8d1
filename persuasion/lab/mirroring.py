"""`persuasion track`, alone or with sync. Imports what it needs when it runs."""

import json
from pathlib import Path
from typing import Annotated

import typer

track = typer.Typer(rich_markup_mode=None)


@track.callback(
    invoke_without_command=True, epilog="Example: MLFLOW_TRACKING_URI=http://127.0.0.1:5000 persuasion track"
)
def here(context: typer.Context) -> None:
    """Mirror the workspace's experiment to MLflow as one run. Never fails: trouble is one warning."""
    if context.invoked_subcommand is None:
        from persuasion.lab import tracking

        tracking.main()


@track.command("sync", epilog="Example: MLFLOW_TRACKING_URI=http://127.0.0.1:5000 persuasion track sync")
def sync(
    study: Annotated[
        str | None, typer.Option(metavar="NAME", help="This study alone. Default: sweep.yaml's, and all kept here.")
    ] = None,
    storage: Annotated[str | None, typer.Option(metavar="URL", help="Of the study, as for `persuasion sweep`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Send MLflow what it missed of the workspace, of experiments and of studies, each once. Exit 5 when it is away."""
    from persuasion.lab import syncing
    from persuasion.lab.workspace import top

    told = syncing.sync(top(Path.cwd()), study=study, storage=storage)
    print(json.dumps(told, indent=2) if as_json else syncing.text(told))
