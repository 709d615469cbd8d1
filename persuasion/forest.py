"""Judges side by side: a dot and its 95 % interval each, as accuracies and as differences on the same pairs."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.ticker import FuncFormatter, MaxNLocator

from persuasion.drawing import BESIDE, BLUE, DASHED, GREY, INK, drawing, percent_axis


class Judge(NamedTuple):
    """One line of a forest plot and of its table; ``ours`` marks the tuned policy, ``why`` says what is undefined."""

    name: str
    accuracy: float | None
    low: float | None
    high: float | None
    ours: bool
    why: str = ""


def accuracies(judges: Sequence[Judge]) -> str:
    """Share of pairs judged right, the first judge on top; judges without an accuracy are left out."""
    return _forest(judges, "Pairs judged right, with 95% interval", 0.5, shares=True)


def differences(rivals: Sequence[Judge]) -> str:
    """The policy's accuracy minus each rival's, in points: an interval right of zero says that the policy is better."""
    return _forest(rivals, "Tuned minus rival, in points, with 95% interval", 0.0, shares=False)


def _forest(judges: Sequence[Judge], title: str, even: float, *, shares: bool) -> str:
    shown = [judge for judge in judges if judge.accuracy is not None]
    if not shown:
        return ""
    with drawing(5.6, 0.9 + 0.36 * len(shown)) as (axes, text):
        axes.axvline(even, color=GREY, linewidth=0.8, linestyle=DASHED)
        for place, judge in enumerate(shown):
            colour, size = (BLUE, 7.5) if judge.ours else (INK, 5.5)
            value = judge.accuracy or 0.0
            if judge.low is not None and judge.high is not None:
                axes.plot([judge.low, judge.high], [place, place], color=colour, solid_capstyle="butt")
            axes.plot([value], [place], color=colour, marker="o", markersize=size)
            said = f"{value:.1%}" if shares else f"{100 * value:+.1f}"
            axes.annotate(said, (1.02, place), xycoords=BESIDE, va="center", color=colour)
        axes.set_yticks(range(len(shown)), [judge.name for judge in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6))
        if shares:
            percent_axis(axes.xaxis)
        else:
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:+.0f}" if value else "0"))
        axes.set_title(title, loc="left")
    return text.getvalue()
