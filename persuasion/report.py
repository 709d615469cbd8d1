"""The run as one page: metrics, curves and replies in, HTML and Markdown out.

All text from data is hostile. HTML is escaped by Jinja and the page may load and run nothing (CSP, no
script, figures as data: URIs); in Markdown every value that the template prints is made inert on its way
out. The same inputs give the same bytes.
"""

from base64 import b64encode
from math import log
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from persuasion import figures, inert
from persuasion.contents import Inputs, contents, judges

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


def _images(inputs: Inputs) -> dict[str, str]:
    """data: URIs by name; "" where there is nothing to draw."""
    lines, dots = inputs.training, inputs.validation
    drawn = {
        "loss": figures.curve(lines, dots, "loss", "DPO loss, nats (dashed: ln 2)", log(2)),
        "margin": figures.curve(lines, dots, "reward_margin", "Reward margin", 0.0),
        "accuracy": figures.curve(lines, dots, "reward_accuracy", "Reward accuracy (dashed: a coin)", 0.5),
        "judges": figures.accuracies(judges(inputs.metrics.get("evaluate") or {})),
        "reliability": figures.reliability(inputs.reliability),
        "margins": figures.margin_histogram(inputs.margins),
        "lengths": figures.length_histogram(inputs.lengths),
        "tokens": figures.token_histogram(inputs.tokens),
    }
    return {name: _data_uri(svg) for name, svg in drawn.items()}


def _data_uri(svg: str) -> str:
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode("ascii") if svg else ""
