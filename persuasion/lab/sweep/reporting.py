"""What a study found, as metrics/study.json, tables for `dvc plots`, pictures, and one page that shows them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from persuasion.files import write_json, write_text
from persuasion.lab.sweep import drawing, storage, telling
from persuasion.lab.sweep import ledger as ledgers
from persuasion.lab.sweep.ledger import Ledger

JSON, TABLES = Path("metrics/study.json"), Path("metrics/study")


def write(ledger: Ledger, *, original: bool = False) -> list[Path]:
    """Write it all; return what was written."""
    told = telling.as_json(ledger)
    for trial in told["trials"]:
        del trial["mlflow"]  # of one store, and new in each: git has no use for it
    told["importances"] = importances(ledger)
    root, folder = ledger.root, storage.place(ledger.root, told["study"]) / "report"
    write_json(root / JSON, told)
    written = [root / JSON, *_tables(root, told)]
    done = [one for one in told["trials"] if one["values"]]
    pictures = drawing.draw(folder, told, done) if done else {}
    write_text(folder / "index.html", _page(told, pictures))
    written.append(folder / "index.html")
    if original:
        stamp = datetime.now(UTC).strftime("%Y%m%d_%H%M%S")
        written.append(root / f"study_results_{stamp}.json")
        write_json(written[-1], _original(ledger, told))
    return written


def importances(ledger: Ledger) -> dict[str, float]:
    """The share of the first objective's variance that each parameter explains; none where too little is known."""
    import optuna

    study = ledger.study
    several = len(study.directions) > 1
    target = (lambda trial: trial.values[0]) if several else None
    try:
        with storage.quiet():
            evaluator = optuna.importance.FanovaImportanceEvaluator(seed=ledger.spec.settings.seed)
            found = optuna.importance.get_param_importances(study, evaluator=evaluator, target=target)
    except (ValueError, RuntimeError, ImportError):  # fewer than two trials, or all figures equal
        return {}
    return {name: float(share) for name, share in found.items()}


def _tables(root: Path, told: Mapping[str, Any]) -> list[Path]:
    """History (with the best so far), all trials, importances."""
    done = [one for one in told["trials"] if one["values"]]
    sign = 1 if told["objectives"][0]["direction"] == "minimize" else -1
    history: list[dict[str, Any]] = []
    for one in done:
        value = one["values"][0]
        best = min([value, *(row["best"] for row in history[-1:])], key=lambda figure: sign * figure)
        history.append({"trial": one["number"], "value": value, "best": best})
    trials = [{"trial": one["number"], "value": one["values"][0], **one["params"]} for one in done]
    shares = [{"parameter": name, "importance": share} for name, share in told["importances"].items()]
    files = {"history": history, "trials": trials, "importances": shares}
    for name, rows in files.items():
        lines = [list(rows[0]), *(list(row.values()) for row in rows)] if rows else []
        write_text(root / TABLES / f"{name}.tsv", "".join("\t".join(map(str, line)) + "\n" for line in lines))
    return [root / TABLES / f"{name}.tsv" for name in files]


def _original(ledger: Ledger, told: Mapping[str, Any]) -> dict[str, Any]:
    """The form of the original research code's file; what it called infinity is null, as JSON has no infinity."""
    best = ledgers.best(ledger.study)
    return {
        "study_name": told["study"],
        "best_trial": best[0].number if best else None,
        "best_value": best[0].values[0] if best else None,
        "best_params": dict(best[0].params) if best else {},
        "n_trials": len(told["trials"]),
        "trials": [
            {
                "number": one["number"],
                "value": one["values"][0] if one["values"] else None,
                "params": one["params"],
                "state": one["state"].upper(),
            }
            for one in told["trials"]
        ],
    }


def _page(told: Mapping[str, Any], pictures: Mapping[str, Path]) -> str:
    templates = FileSystemLoader(Path(__file__).parent)
    environment = Environment(autoescape=True, loader=templates, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("reporting.html.jinja").render(told, pictures=pictures) + "\n"
