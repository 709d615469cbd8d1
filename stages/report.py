"""Stage report: the run as a page, HTML and Markdown, and a best-effort mirror of the run to MLflow."""

import subprocess
import sys
from pathlib import Path

from persuasion import report
from persuasion.config import load_params
from persuasion.files import replaced_folder
from persuasion.finished import read_data, read_facts, read_run
from persuasion.plotdata import write_plots
from persuasion.running import run

PLOTS = Path("metrics/report")
MIRROR_SECONDS = 120


def main() -> None:
    """Write the page, the text for pull requests, the adapter's card with the figures of `evaluate`, and plot data."""
    inputs = read_run(load_params())
    written = {
        "index.html": report.html(inputs),
        "report.md": report.markdown(inputs),
        "adapter-card.md": report.adapter_card(inputs, read_facts(), read_data()),
    }
    with replaced_folder(PLOTS) as folder:
        write_plots(folder, inputs.metrics["evaluate"])
    with replaced_folder(Path("report")) as folder:
        for name, text in written.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    _mirror()
    print(f"report: {len(inputs.replies)} replies, report/index.html and report/report.md written")


def _mirror() -> None:
    """Show the run in MLflow, in a process of its own so that nothing there can fail or hang this stage."""
    command = [sys.executable, "-m", "persuasion.lab.tracking"]  # says itself, in one line, what went wrong
    try:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=MIRROR_SECONDS, check=False).returncode  # noqa: S603
        trouble = f"exit {code}" if code else ""
    except (OSError, subprocess.SubprocessError) as error:
        trouble = type(error).__name__
    if trouble:
        hint = "`python -m persuasion.lab.tracking` says why and tries again"
        print(f"warning: the run is not mirrored to MLflow ({trouble}); {hint}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
