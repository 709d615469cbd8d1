"""How every picture is drawn: one style, bytes that never vary, colours that follow the page's light.

Colours are Okabe and Ito's, told apart by colour-blind readers; every series is also named at its end
or told by its marker. Letters are drawn as outlines, so the page looks alike without our font.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from math import isfinite

import matplotlib
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

Row = Mapping[str, float | None]
Points = list[tuple[float, float]]

DASHED = (0, (4, 3))
BESIDE = ("axes fraction", "data")
BLUE, ORANGE, GREY, INK, PAPER = "#0072b2", "#d55e00", "#8a8f98", "#22262b", "#ffffff"
DARK = {BLUE: "#64b5e8", ORANGE: "#f2965a", GREY: "#878e98", INK: "#dfe3e8", PAPER: "#16181c"}
"""What each colour becomes where the reader's system is dark; none else may be drawn with."""
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


@contextmanager
def drawing(width: float, height: float) -> Iterator[tuple[Axes, StringIO]]:
    """Axes to draw on, and the text that holds the SVG afterwards; sizes in inches."""
    text = StringIO()
    with matplotlib.style.context(["default", STYLE]):
        figure = Figure(figsize=(width, height))
        yield figure.subplots(), text
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    svg = text.getvalue().replace("</style>", f"{_dark()}</style>", 1)
    text.seek(0)
    text.truncate()
    text.write(svg)


def _dark() -> str:
    """Rules for an SVG in an <img>: it asks the reader's system itself, as no rule of the page reaches it."""
    rules = "".join(
        f'[style*="{what}: {light}"]{{{what}:{dark}!important}}'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    )
    return f"@media (prefers-color-scheme: dark){{{rules}}}"


def percent_axis(*axes: object) -> None:
    """Shares as per cent on each axis."""
    for axis in axes:
        axis.set_major_formatter(PercentFormatter(1, decimals=0))  # type: ignore[attr-defined]


def count_axis(axes: Axes, most: float) -> None:
    """Whole numbers from 0, with room for words above the bars."""
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.set_ylim(0, most * 1.22 or 1)


def name_ends(axes: Axes, series: Sequence[tuple[Points, str, str]]) -> None:
    """Write each line's name beside its last point, apart from one another."""
    ends = sorted(((points[-1][1], words, colour) for points, words, colour in series if points), reverse=True)
    bottom, top = axes.get_ylim()
    gap, ceiling = (top - bottom) * 0.09, float("inf")
    for y, words, colour in ends:
        ceiling = min(y, ceiling - gap)
        axes.annotate(words, (1.02, ceiling), xycoords=BESIDE, va="center", color=colour, annotation_clip=False)


def points(rows: Sequence[Row], x: str, y: str) -> Points:
    """The rows that know both columns."""
    return [(float(row[x] or 0), float(row[y] or 0)) for row in rows if known(row, x, y)]


def known(row: Row, *names: str) -> bool:
    """Whether the row has a finite number under every name."""
    return all((value := row.get(name)) is not None and isfinite(value) for name in names)
