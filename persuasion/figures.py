"""The report's pictures as SVG text: the same numbers always give the same bytes.

A figure without data is "", and the report says why. How they look is `drawing`'s; judges side by side are `forest`'s.
"""

from collections.abc import Sequence
from typing import Any

from matplotlib.ticker import MaxNLocator

from persuasion.drawing import (
    BLUE,
    DASHED,
    GREY,
    INK,
    ORANGE,
    PAPER,
    Row,
    count_axis,
    drawing,
    known,
    name_ends,
    percent_axis,
    points,
)

KINDS: tuple[tuple[str, str, Any], ...] = (
    ("chosen", BLUE, "solid"),
    ("rejected", ORANGE, DASHED),
    ("prompt", INK, "dotted"),
)


def curve(training: Sequence[Row], validation: Sequence[Row], column: str, title: str, even: float) -> str:
    """One quantity over the epochs: the training line and the validation points.

    Rows have ``epoch`` and ``column``; ``even`` is the value of a policy that knows nothing.
    """
    line, dots = points(training, "epoch", column), points(validation, "epoch", column)
    if not line and not dots:
        return ""
    with drawing(4.2, 2.9) as (axes, text):
        axes.axhline(even, color=GREY, linewidth=0.8, linestyle=DASHED)
        if line:
            axes.plot(*zip(*line, strict=True), color=BLUE)
        if dots:
            axes.plot(*zip(*dots, strict=True), color=ORANGE, marker="o", markersize=5)
        if "accuracy" in column:
            percent_axis(axes.yaxis)
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.margins(x=0.03, y=0.1)
        name_ends(axes, [(line, "training", BLUE), (dots, "validation", ORANGE)])
    return text.getvalue()


def sides(training: Sequence[Row], validation: Sequence[Row], stem: str, title: str) -> str:
    """``<stem>_chosen`` and ``<stem>_rejected`` over the epochs: training as lines, validation as rings."""
    drawn = [(name, colour, dashes, points(training, "epoch", f"{stem}_{name}")) for name, colour, dashes in KINDS[:2]]
    dots = [points(validation, "epoch", f"{stem}_{name}") for name, *_ in KINDS[:2]]
    if not any(line for *_, line in drawn) and not any(dots):
        return ""
    with drawing(4.2, 2.9) as (axes, text):
        if stem == "rewards":
            axes.axhline(0, color=GREY, linewidth=0.8, linestyle=DASHED)
        for (_, colour, dashes, line), ring in zip(drawn, dots, strict=True):
            if line:
                axes.plot(*zip(*line, strict=True), color=colour, linestyle=dashes)
            if ring:
                axes.plot(*zip(*ring, strict=True), color=colour, marker="o", linestyle="none", fillstyle="none")
        axes.set_title(title)
        axes.set_xlabel("epoch (rings: validation)")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.margins(x=0.03, y=0.1)
        ends = [(line or ring, name, colour) for (name, colour, _, line), ring in zip(drawn, dots, strict=True)]
        name_ends(axes, ends)
    return text.getvalue()


def reliability(rows: Sequence[Row]) -> str:
    """Share right against confidence, per bin of equal mass; area of a dot ∝ pairs."""
    bins = [row for row in rows if known(row, "predicted", "observed", "pairs")]
    if not bins:
        return ""
    predicted, observed, pairs = (
        [float(row[name] or 0) for row in bins] for name in ("predicted", "observed", "pairs")
    )
    with drawing(4.2, 3.6) as (axes, text):
        low = min(0.5, *predicted, *observed)
        axes.plot([0.5, 1], [0.5, 1], color=GREY, linewidth=0.8, linestyle=DASHED)
        axes.plot(predicted, observed, color=BLUE, linewidth=1, alpha=0.5)
        axes.scatter(predicted, observed, s=[12 + 60 * n / max(pairs) for n in pairs], color=BLUE, zorder=3)
        axes.set(xlim=(0.49, 1.01), ylim=(low - 0.03, 1.03), xlabel="confidence, σ(|margin|)")
        axes.set_title("Share right, by confidence (dashed: equal)")
        percent_axis(axes.xaxis, axes.yaxis)
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
    return _steps(rows, KINDS, "Pairs, by length in tokens", "tokens (dashed: rejected, dotted: prompt)", "right")


def reward_histogram(rows: Sequence[Row]) -> str:
    """Chosen and rejected completions by implicit reward: left of zero, less likely than under the reference."""
    return _steps(rows, KINDS[:2], "Completions, by reward", "reward (dashed: rejected; 0: as the reference)", "left")


def length_scatter(rows: Sequence[Row]) -> str:
    """A dot a pair: reward margin against the difference in words. No slope is wanted."""
    dots = points(rows, "words", "margin")
    if not dots:
        return ""
    x, y = zip(*dots, strict=True)
    with drawing(4.2, 3.3) as (axes, text):
        axes.axhline(0, color=GREY, linewidth=0.8, linestyle=DASHED)
        axes.axvline(0, color=GREY, linewidth=0.8, linestyle=DASHED)
        axes.scatter(x, y, s=9, color=BLUE, alpha=0.45, linewidths=0)
        axes.set(xlabel="words, chosen − rejected", title="Reward margin, by difference in length")
    return text.getvalue()


def _steps(rows: Sequence[Row], kinds: Sequence[tuple[str, str, Any]], title: str, label: str, side: str) -> str:
    """Counts in [low, high) as outlines, one for each of ``kinds``, named at the ``side`` where there is room."""
    names = [name for name, *_ in kinds]
    bars = _trimmed([row for row in rows if known(row, "low", "high", *names)], *names)
    if not any(row[name] for row in bars for name, *_ in kinds):
        return ""
    edges = [*(float(row["low"] or 0) for row in bars), float(bars[-1]["high"] or 0)]
    with drawing(4.2, 2.9) as (axes, text):
        for place, (name, colour, dashes) in enumerate(kinds):
            counts = [float(row[name] or 0) for row in bars]
            axes.stairs(counts, edges, color=colour, linewidth=1.6, linestyle=dashes)
            x, y = (0.98 if side == "right" else 0.02), 0.98 - 0.09 * place
            axes.text(x, y, name, transform=axes.transAxes, ha=side, va="top", color=colour, fontweight="bold")
        if edges[0] < 0 < edges[-1]:
            axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_title(title)
        axes.set_xlabel(label)
        count_axis(axes, max(float(row[name] or 0) for row in bars for name, *_ in kinds))
    return text.getvalue()


def _pairs_by(rows: Sequence[Row], title: str, label: str, sides: tuple[str, str]) -> str:
    """Bars of ``pairs`` in [low, high), orange below zero and blue above; ``sides`` says what these mean."""
    bars = _trimmed([row for row in rows if known(row, "low", "high", "pairs")], "pairs")
    if not bars:
        return ""
    low, high, pairs = ([float(row[name] or 0) for row in bars] for name in ("low", "high", "pairs"))
    with drawing(4.2, 2.9) as (axes, text):
        colours = [BLUE if edge >= 0 else ORANGE for edge in low]
        widths = [b - a for a, b in zip(low, high, strict=True)]
        axes.bar(low, pairs, width=widths, align="edge", color=colours, edgecolor=PAPER, linewidth=0.6)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_title(title)
        axes.set_xlabel(label)
        count_axis(axes, max(pairs))
        for side, colour, words in (("left", ORANGE, sides[0]), ("right", BLUE, sides[1])):
            x = 0.98 if side == "right" else 0.02
            axes.text(x, 0.98, words, transform=axes.transAxes, ha=side, va="top", color=colour, fontweight="bold")
    return text.getvalue()


def _trimmed(bars: Sequence[Row], *names: str) -> Sequence[Row]:
    """Without the empty bins at both ends: the picture is of what is there."""
    full = [place for place, row in enumerate(bars) if any(row[name] for name in names)]
    return bars[full[0] : full[-1] + 1] if full else []
