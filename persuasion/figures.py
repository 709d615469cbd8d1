"""The report's pictures as SVG text: the same numbers always give the same bytes.

Colours are Okabe and Ito's, told apart by colour-blind readers; every series is also named at its end
or told by its marker. Letters are drawn as outlines, so the page looks alike without our font. A figure
without data is "", and the report says why.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from math import isfinite
from typing import Any, NamedTuple

import matplotlib
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

Row = Mapping[str, float | None]
Points = list[tuple[float, float]]

DASHED = (0, (4, 3))
BESIDE = ("axes fraction", "data")
BLUE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#8A8F98", "#22262B"
KINDS: tuple[tuple[str, str, Any], ...] = (
    ("chosen", BLUE, "solid"),
    ("rejected", ORANGE, DASHED),
    ("prompt", INK, "dotted"),
)
STYLE: dict[str, object] = {
    "svg.hashsalt": "persuasion",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.linewidth": 1.6,
    "figure.constrained_layout.use": True,
}


class Judge(NamedTuple):
    """One line of the accuracy figure and table; ``ours`` marks the tuned policy."""

    name: str
    accuracy: float | None
    low: float | None
    high: float | None
    ours: bool


def curve(training: Sequence[Row], validation: Sequence[Row], column: str, title: str, even: float | None) -> str:
    """One quantity over the epochs: the training line and the validation points.

    Rows have ``epoch`` and ``column``; ``even`` is the value of a policy that knows nothing (None: none).
    """
    line, dots = _points(training, "epoch", column), _points(validation, "epoch", column)
    if not line and not dots:
        return ""
    with _drawing(4.2, 2.9) as (axes, text):
        if even is not None:
            axes.axhline(even, color=GREY, linewidth=0.8, linestyle=DASHED)
        if line:
            axes.plot(*zip(*line, strict=True), color=BLUE, label="training batches")
        if dots:
            axes.plot(*zip(*dots, strict=True), color=ORANGE, marker="o", markersize=5, label="validation")
        if "accuracy" in column:
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.margins(x=0.03, y=0.1)
        _name_ends(axes, [(line, "training", BLUE), (dots, "validation", ORANGE)])
    return text.getvalue()


def reliability(rows: Sequence[Row]) -> str:
    """Share right against confidence, per bin of equal mass; area of a dot ∝ pairs."""
    points = [row for row in rows if _known(row, "predicted", "observed", "pairs")]
    if not points:
        return ""
    predicted, observed, pairs = (
        [float(row[name] or 0) for row in points] for name in ("predicted", "observed", "pairs")
    )
    with _drawing(4.2, 3.6) as (axes, text):
        low = min(0.5, *predicted, *observed)
        axes.plot([0.5, 1], [0.5, 1], color=GREY, linewidth=0.8, linestyle=DASHED)
        axes.plot(predicted, observed, color=BLUE, linewidth=1, alpha=0.5)
        axes.scatter(predicted, observed, s=[12 + 60 * n / max(pairs) for n in pairs], color=BLUE, zorder=3)
        axes.set(xlim=(0.49, 1.01), ylim=(low - 0.03, 1.03), xlabel="confidence, σ(|margin|)")
        axes.set_title("Share right, by confidence (dashed: equal)")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1, decimals=0))
    return text.getvalue()


def margin_histogram(rows: Sequence[Row]) -> str:
    """Pairs by reward margin: right of zero the policy prefers the chosen completion."""
    return _pairs_by(
        rows, "Pairs, by reward margin", "margin (chosen − rejected reward)", ("judged wrong", "judged right")
    )


def length_histogram(rows: Sequence[Row]) -> str:
    """Pairs by words of the chosen minus words of the rejected completion."""
    return _pairs_by(
        rows, "Pairs, by difference in length", "words, chosen − rejected", ("rejected longer", "chosen longer")
    )


def token_histogram(rows: Sequence[Row]) -> str:
    """Prompts, chosen and rejected completions by their length in tokens."""
    bars = [row for row in rows if _known(row, "low", "high", "prompt", "chosen", "rejected")]
    if not any(row["prompt"] for row in bars):
        return ""
    edges = [*(float(row["low"] or 0) for row in bars), float(bars[-1]["high"] or 0)]
    with _drawing(4.2, 2.9) as (axes, text):
        for place, (name, colour, dashes) in enumerate(KINDS):
            counts = [float(row[name] or 0) for row in bars]
            axes.stairs(counts, edges, color=colour, linewidth=1.6, linestyle=dashes)
            at = 0.98 - 0.09 * place
            axes.text(0.98, at, name, transform=axes.transAxes, ha="right", va="top", color=colour, fontweight="bold")
        axes.set_title("Pairs, by length in tokens")
        axes.set_xlabel("tokens (dashed: rejected, dotted: prompt)")
        _count_axis(axes, max(float(row[name] or 0) for row in bars for name, *_ in KINDS))
    return text.getvalue()


def _pairs_by(rows: Sequence[Row], title: str, label: str, sides: tuple[str, str]) -> str:
    """Bars of ``pairs`` in [low, high), orange below zero and blue above; ``sides`` says what these mean."""
    bars = [row for row in rows if _known(row, "low", "high", "pairs")]
    if not bars:
        return ""
    low, high, pairs = ([float(row[name] or 0) for row in bars] for name in ("low", "high", "pairs"))
    with _drawing(4.2, 2.9) as (axes, text):
        colours = [BLUE if edge >= 0 else ORANGE for edge in low]
        widths = [b - a for a, b in zip(low, high, strict=True)]
        axes.bar(low, pairs, width=widths, align="edge", color=colours, edgecolor="white", linewidth=0.6)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_title(title)
        axes.set_xlabel(label)
        _count_axis(axes, max(pairs))
        for side, colour, words in (("left", ORANGE, sides[0]), ("right", BLUE, sides[1])):
            x = 0.98 if side == "right" else 0.02
            axes.text(x, 0.98, words, transform=axes.transAxes, ha=side, va="top", color=colour, fontweight="bold")
    return text.getvalue()


def _count_axis(axes: Axes, most: float) -> None:
    """Whole numbers from 0, with room for words above the bars."""
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.set_ylim(0, most * 1.22 or 1)


def accuracies(judges: Sequence[Judge]) -> str:
    """Dot and 95 % interval per judge, the first on top; judges without an accuracy are left out."""
    shown = [judge for judge in judges if judge.accuracy is not None]
    if not shown:
        return ""
    with _drawing(5.2, 0.9 + 0.36 * len(shown)) as (axes, text):
        axes.axvline(0.5, color=GREY, linewidth=0.8, linestyle=DASHED)
        for place, judge in enumerate(shown):
            colour, size = (BLUE, 7.5) if judge.ours else (INK, 5.5)
            value = judge.accuracy or 0.0
            if judge.low is not None and judge.high is not None:
                axes.plot([judge.low, judge.high], [place, place], color=colour, solid_capstyle="butt")
            axes.plot([value], [place], color=colour, marker="o", markersize=size)
            axes.annotate(f"{value:.1%}", (1.02, place), xycoords=BESIDE, va="center", color=colour)
        axes.set_yticks(range(len(shown)), [judge.name for judge in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_title("Pairs judged right, with 95% interval", loc="left")
    return text.getvalue()


@contextmanager
def _drawing(width: float, height: float) -> Iterator[tuple[Axes, StringIO]]:
    """Axes to draw on, and the text that holds the SVG afterwards; sizes in inches."""
    text = StringIO()
    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(width, height))
        yield figure.subplots(), text
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)


def _name_ends(axes: Axes, series: Sequence[tuple[Points, str, str]]) -> None:
    """Write each line's name beside its last point, apart from one another."""
    ends = sorted(((points[-1][1], words, colour) for points, words, colour in series if points), reverse=True)
    bottom, top = axes.get_ylim()
    gap, ceiling = (top - bottom) * 0.09, float("inf")
    for y, words, colour in ends:
        ceiling = min(y, ceiling - gap)
        axes.annotate(words, (1.02, ceiling), xycoords=BESIDE, va="center", color=colour, annotation_clip=False)


def _points(rows: Sequence[Row], x: str, y: str) -> Points:
    return [(float(row[x] or 0), float(row[y] or 0)) for row in rows if _known(row, x, y)]


def _known(row: Row, *names: str) -> bool:
    return all((value := row.get(name)) is not None and isfinite(value) for name in names)
