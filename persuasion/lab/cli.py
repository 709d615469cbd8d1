"""The command line: ``persuasion …`` or ``python -m persuasion.lab.cli …``.

Commands import what they need when they run, so that help and completion stay instant.
"""

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from persuasion.errors import RemoteFailure, SurroundingsFailure
from persuasion.lab import giving, presetting, sharing
from persuasion.lab.mirroring import track
from persuasion.lab.sweep.commands import sweep
from persuasion.running import run

if TYPE_CHECKING:
    from persuasion.lab.export import Exported

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
previews = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(previews, name="preview", help="Look at what the model will see, before it does.")
export = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(track, name="track")
app.add_typer(sweep, name="sweep")
app.add_typer(export, name="export", epilog="Example: persuasion export pairs --format json -o pairs.json")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"persuasion {version('persuasion')}")
        except PackageNotFoundError:
            raise SurroundingsFailure("persuasion is not installed in this environment", fix="make env") from None
        raise typer.Exit


@app.callback(epilog="Example: persuasion summary")
def everything(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = (
        False
    ),
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")] = False,
) -> None:
    """Look at what the pipeline made."""
    if debug:
        os.environ["PERSUASION_DEBUG"] = "1"


@app.command(epilog="Example: persuasion summary --json")
def summary(
    as_json: Annotated[bool, typer.Option("--json", help="Print every metric, and where to look, as JSON.")] = False,
) -> None:
    """Say what was made, the main figures, and where to look. Exit 3 when the pipeline has not run to its end."""
    from persuasion.lab import summary as made
    from persuasion.lab.workspace import top

    root = top(Path.cwd())
    metrics, where = made.read_metrics(root), made.places()
    if as_json:
        import json

        print(json.dumps({"metrics": metrics, "places": where}, indent=2, sort_keys=True))
    else:
        print(made.text(metrics, where))


@app.command(epilog="Example: persuasion key --json")
def key(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say where the secret key of the authors' pseudonyms lies, making it if there is none; never show it."""
    from persuasion.lab import forget as forgetting

    told = forgetting.key(Path.cwd())
    if as_json:
        import json

        print(json.dumps(told, indent=2, sort_keys=True))
    else:
        used = "" if told["used"] else "\nNot used now: the synthetic sample has a public key"
        print(f"{told['path']}\nFingerprint {told['fingerprint']}{used}")


@app.command(epilog="Example: persuasion forget t1_c0ffee u/NAME")
def forget(
    entries: Annotated[
        list[str] | None,
        typer.Argument(metavar="ENTRY…", help="t1_… or t3_…, an address, u/NAME or u_…; none: look only."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Add nothing to the removals file.")] = False,
    require_remotes: Annotated[
        bool, typer.Option("--require-remotes", help="Exit 5 when a remote could not be looked into.")
    ] = False,
) -> None:
    """Add comments, posts or authors to the removals, and say what still holds their rows and how to purge it."""
    from persuasion.lab import forget as forgetting

    told = forgetting.forget(entries or (), Path.cwd(), dry_run=dry_run)
    if as_json:
        import json

        print(json.dumps(forgetting.as_json(told), indent=2, sort_keys=True))
    else:
        print(forgetting.text(told))
    if require_remotes and told.unreachable:
        raise RemoteFailure(f"not looked into: {', '.join(sorted(told.unreachable))}", fix="try again when it answers")


@export.callback()
def exports() -> None:
    """Write pairs, threads or models for other programs. People wrote these texts: mind who gets them."""


@export.command("pairs", epilog="Example: persuasion export pairs --format conversational -o ../pairs")
def export_pairs(
    form: Annotated[
        Literal["jsonl", "json", "csv", "conversational", "llamafactory", "llamafactory-sharegpt", "axolotl"],
        typer.Option("--format", help="jsonl and csv hold every column; the others the three texts."),
    ] = "jsonl",
    split: Annotated[Literal["train", "validation", "test", "all"], typer.Option(help="Which pairs.")] = "all",
    out: Annotated[
        str | None,
        typer.Option("-o", "--out", metavar="FILE|DIR|-", help="Default: a folder in exports/. - is stdout."),
    ] = None,
    raw_csv: Annotated[
        bool, typer.Option("--raw-csv", help="Do not put ' before cells that a spreadsheet would run.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Write the pairs for TRL, LLaMA-Factory, Axolotl, a spreadsheet, or the original research code."""
    from persuasion.lab import export as exporting
    from persuasion.lab.workspace import top

    told = exporting.pairs(top(Path.cwd()), form, split, out, raw_csv=raw_csv)
    _tell(told, "pairs", as_json=as_json)


@export.command("threads", epilog="Example: persuasion export threads -o - | head -1")
def export_threads(
    form: Annotated[Literal["jsonl"], typer.Option("--format", help="One record a line.")] = "jsonl",
    out: Annotated[
        str | None,
        typer.Option("-o", "--out", metavar="FILE|-", help="Default: exports/threads.jsonl. - is stdout."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Write the way from a top-level comment to each comment by the post's author, and whether it gave a delta."""
    from persuasion.lab import export as exporting
    from persuasion.lab.workspace import top

    _tell(exporting.threads(top(Path.cwd()), out), "records", as_json=as_json)


def _tell(told: "Exported", what: str, *, as_json: bool) -> None:
    """Print an export's summary: beside the data on stdout there is no room, so then to stderr."""
    import json

    from persuasion.lab import export as exporting

    stream = sys.stderr if exporting.STDOUT in told.files else sys.stdout
    words = json.dumps(exporting.as_json(told, what), indent=2) if as_json else exporting.text(told, what)
    print(words, file=stream)


@previews.command("pairs", epilog="Example: persuasion preview pairs --split validation -n 1")
def preview_pairs(
    split: Annotated[str | None, typer.Option(metavar="SPLIT", help="train (default), validation or test.")] = None,
    pair: Annotated[str | None, typer.Option(metavar="ID", help="This pair alone, from whatever split.")] = None,
    count: Annotated[int, typer.Option("-n", min=1, help="Pairs shown, the first by id.")] = 3,
    width: Annotated[int | None, typer.Option(min=40, metavar="COLUMNS", help="Default: the terminal's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show pairs as the model sees them: every token, what carries loss, what the token budgets cut.

    Needs data/pairs and models/base only. NO_COLOR=1 gives marks instead of colours.
    """
    import json
    import shutil

    from persuasion.lab import preview as shown
    from persuasion.lab.workspace import top

    root = top(Path.cwd())
    pairs = shown.laid_out(root, split, pair, count)
    if as_json:
        print(json.dumps(shown.as_json(pairs, shown.budgets(root)), indent=2, sort_keys=True))
    else:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may not know every character of a post
        wide = width or shutil.get_terminal_size().columns
        print(shown.rendered(pairs, shown.budgets(root), wide, shown.wants_colours(sys.stdout)))


sharing.register(app)
giving.register(export)
presetting.register(app)


def main() -> None:
    """Run the command line; a reader that went away (``| head``) is no error to report."""
    try:
        run(app)
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
