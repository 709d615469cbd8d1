"""The run as one page: metrics, curves and replies in, HTML and Markdown out.

All text from data is hostile. HTML is escaped by Jinja and the page may load and run nothing (CSP, no
script, figures as data: URIs); in Markdown every value that the template prints is made inert on its way
out. The same inputs give the same bytes.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from persuasion import comparisons, figures, forest, inert
from persuasion.contents import Inputs, contents
from persuasion.drawing import Row
from persuasion.findings import dig
from persuasion.modelcard import Measured, Results, card

TEMPLATES = Path(__file__).parent


def html(inputs: Inputs) -> str:
    """The page: one self-contained HTML document."""
    environment = Environment(autoescape=True, **_settings())
    return environment.get_template("report.html.jinja").render(contents(inputs), images=_images(inputs))


def markdown(inputs: Inputs) -> str:
    """The same without figures, as GitHub-flavoured Markdown."""
    environment = Environment(autoescape=False, finalize=inert.markdown, **_settings())  # noqa: S701 finalize escapes
    environment.filters["quoted"] = inert.quoted
    return environment.get_template("report.md.jinja").render(contents(inputs))


def _settings() -> dict[str, Any]:
    return {
        "loader": FileSystemLoader(TEMPLATES),
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "keep_trailing_newline": True,
    }


def adapter_card(inputs: Inputs, facts: Mapping[str, Any], data: Mapping[str, str]) -> str:
    """The adapter's card with the figures of `evaluate`, for whoever publishes it."""
    evaluate = inputs.metrics.get("evaluate") or {}

    def measured(name: str, kind: str, path: str) -> Measured:
        return Measured(name=name, kind=kind, value=dig(evaluate, path),
                        low=dig(evaluate, f"{path}_low"), high=dig(evaluate, f"{path}_high"))  # fmt: skip

    figures_told = [
        measured("reward accuracy", "accuracy", "reward_accuracy"),
        measured("reward accuracy on pairs of like length", "accuracy", "accuracy_length_matched"),
        measured("accuracy before preference training", "accuracy", "reference_accuracy"),
        *(measured(f"baseline: {name}", "accuracy", f"baseline.{name}.accuracy") for name in comparisons.BASELINES),
        measured("reward margin", "reward_margin", "reward_margin"),
        measured("expected calibration error", "expected_calibration_error", "ece"),
        measured("Brier score", "brier_score", "brier"),
        measured("chosen less likely than before", "displacement_rate", "displacement_rate"),
    ]
    results = Results(
        split="test" if evaluate.get("test_split") else "validation",
        pairs=evaluate.get("pairs") or 0,
        posts=evaluate.get("threads") or 0,
        figures=figures_told,
        looks=evaluate.get("test_looks") if evaluate.get("test_split") else None,
    )
    return card(inputs.params, facts, data, results)


def _images(inputs: Inputs) -> dict[str, str]:
    """data: URIs by name; "" where there is nothing to draw."""
    evaluate = inputs.metrics.get("evaluate") or {}
    lines, dots = (_table(inputs, name) for name in ("training", "validation"))
    drawn = {
        "loss": figures.curve(lines, dots, "loss", "Loss, nats (dashed: ln 2)", log(2)),
        "margin": figures.curve(lines, dots, "reward_margin", "Reward margin", 0.0),
        "accuracy": figures.curve(lines, dots, "reward_accuracy", "Reward accuracy (dashed: a coin)", 0.5),
        "rewards": figures.sides(lines, dots, "rewards", "Rewards (0: as likely as before)"),
        "perplexity": figures.sides(lines, dots, "perplexity", "Perplexity of the policy"),
        "judges": forest.accuracies(comparisons.judges(evaluate)),
        "rivals": forest.differences(comparisons.rivals(evaluate)),
        "reliability": figures.reliability(_table(inputs, "reliability")),
        "margins": figures.margin_histogram(_table(inputs, "margins")),
        "sides": figures.reward_histogram(_table(inputs, "rewards")),
        "scatter": figures.length_scatter(_table(inputs, "scatter")),
        "lengths": figures.length_histogram(_table(inputs, "lengths")),
        "tokens": figures.token_histogram(_table(inputs, "tokens")),
    }
    return {name: _data_uri(svg) for name, svg in drawn.items()}


def _table(inputs: Inputs, name: str) -> Sequence[Row]:
    return inputs.tables.get(name) or []


def _data_uri(svg: str) -> str:
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode("ascii") if svg else ""
