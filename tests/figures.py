"""Writes what README and the tutorial show of the committed run: ``python -m tests.figures``.

Blocks between ``<!-- figures: NAME -->`` and ``<!-- end -->`` from metrics/, the picture of the pipeline from dvc.yaml.
With ``--report`` also the picture of the report, by a Chromium, from report/index.html.
"""

import base64
import re
import sys
import tempfile
from html import escape
from itertools import pairwise
from pathlib import Path
from textwrap import wrap
from typing import Any

from persuasion.findings import dig, number, percent
from persuasion.lab import summary
from persuasion.yaml12 import load_yaml
from tests.closures import ROOT

PAGES = (ROOT / "README.md", ROOT / "docs/tutorial.md")
PIPELINE, REPORT = ROOT / "docs/pictures/pipeline.svg", ROOT / "docs/pictures/report.png"
BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
JUDGES = {
    "The tuned policy": "reward_accuracy",
    "The same model, untuned": "reference_accuracy",
    "The longer comment": "baseline.length.accuracy",
    "Length and style, fitted": "baseline.style.accuracy",
    "Bag of words, fitted": "baseline.tfidf.accuracy",
    "Overlap with the post, fitted": "baseline.interplay.accuracy",
    "The policy, pairs of like length": "accuracy_length_matched",
    "The policy, pairs told apart by style": "by_kind.style.accuracy",
    "The policy, pairs told apart by relation": "by_kind.relation.accuracy",
}
DIFFERENCES = {"tfidf": "bag of words", "reference": "untuned model"}
LANES = (("sample", "extract", "pair"), ("base", "lm", "sft", "reference", "train"), ("evaluate", "generate", "report"))
WIDE, HIGH, GAP, TOP = 172, 104, 34, 24


def blocks() -> dict[str, str]:
    """Every block by name."""
    told = summary.read_metrics(ROOT)
    return {"summary": f"```\n{summary.text(told, summary.places())}\n```\n", "results": results(told["evaluate"])}


def results(evaluate: dict[str, Any]) -> str:
    """The table of results: who judges, how well, how sure, and the figure's name."""
    out = ["| who says which comment earned the delta | right | 95 % interval | figure |", "|---|---:|---|---|"]
    for words, path in JUDGES.items():
        low, high = (dig(evaluate, f"{path}_{bound}") for bound in ("low", "high"))
        sure = f"{percent(low)} to {percent(high)}"
        out.append(f"| {words} | {percent(dig(evaluate, path))} | {sure} | `evaluate.{path}` |")
    for rival, words in DIFFERENCES.items():
        branch = evaluate["difference"][rival]
        sure = f"{100 * branch['low']:+.1f} to {100 * branch['high']:+.1f}"
        row = f"| *difference:* policy − {words} | {100 * branch['mean']:+.1f} points | {sure} |"
        out.append(f"{row} `evaluate.difference.{rival}` |")
    pairs, threads = number(evaluate["pairs"]), number(evaluate["threads"])
    judged = "test" if evaluate["test_split"] else "validation"
    out += ["", f"On {pairs} {judged} pairs from {threads} posts that no training saw. Made by `dvc repro evaluate`,"]
    return "\n".join([*out, "shown by `dvc metrics show metrics/evaluate.json`."]) + "\n"


def filled(text: str) -> str:
    """A page's text with its blocks as they should be."""
    known = blocks()
    return BLOCK.sub(lambda found: found[1] + known[found[2]] + found[3], text)


def pipeline() -> str:
    """The stages of dvc.yaml as a picture: three lanes, in each stage what it does and what it leaves."""
    stages = load_yaml(ROOT / "dvc.yaml")["stages"]
    assert {name for lane in LANES for name in lane} == set(stages)
    width = 2 * TOP + 5 * WIDE + 4 * GAP
    height = 2 * TOP + 3 * HIGH + 2 * GAP
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" role="img">',
        "<title>The stages of the pipeline and what each leaves behind</title>",
        '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#456"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    at = {
        name: (TOP + x * (WIDE + GAP), TOP + y * (HIGH + GAP))
        for y, lane in enumerate(LANES)
        for x, name in enumerate(lane)
    }
    for left, right in (pair for lane in LANES for pair in pairwise(lane)):
        if (left, right) != ("evaluate", "generate"):
            (x, y), (to, _) = at[left], at[right]
            out.append(_line([(x + WIDE, y + HIGH // 2), (to, y + HIGH // 2)]))
    for left, right in (("pair", "base"), ("train", "evaluate")):  # down to the next lane
        (x, y), (to, below) = at[left], at[right]
        x, to, middle = x + WIDE // 2, to + WIDE // 2, y + HIGH + GAP // 2
        out.append(_line([(x, y + HIGH), (x, middle), (to, middle), (to, below)]))
    (x, y), middle = at["generate"], at["generate"][1] - GAP // 2
    out.append(_line([(x + WIDE // 2, middle), (x + WIDE // 2, y)]))
    (x, y), (to, _) = at["evaluate"], at["report"]
    x, to, low = x + WIDE // 2, to + WIDE // 2, y + HIGH + 12
    out.append(_line([(x, y + HIGH), (x, low), (to, low), (to, y + HIGH)]))
    for name, (x, y) in at.items():
        out += _box(name, stages[name].get("do", stages[name]), x, y)
    return "\n".join([*out, "</svg>"]) + "\n"


def _line(points: list[tuple[int, int]]) -> str:
    way = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline points="{way}" fill="none" stroke="#456" stroke-width="1.5" marker-end="url(#a)"/>'


def _box(name: str, stage: dict[str, Any], x: int, y: int) -> list[str]:
    optional = name in ("lm", "sft")  # off until params.yaml asks for them
    dashes = ' stroke-dasharray="5 4"' if optional else ""
    fill = {"sample": "#eef4fb", "base": "#fdf3e3", "evaluate": "#eaf6ec"}
    lane = next(lane for lane in LANES if name in lane)
    outs = [next(iter(out)) if isinstance(out, dict) else out for out in stage.get("outs", [])]
    left = [out for out in outs if not out.startswith("metrics/") and "$" not in out]
    lines = wrap(stage["desc"] + (" (optional)" if optional else ""), 27)
    out = [
        f'<rect x="{x}" y="{y}" width="{WIDE}" height="{HIGH}" rx="7" fill="{fill[lane[0]]}" stroke="#456"{dashes}/>',
        f'<text x="{x + 10}" y="{y + 20}" font-size="14" font-weight="bold" fill="#123">{escape(name)}</text>',
    ]
    out += [
        f'<text x="{x + 10}" y="{y + 38 + 13 * row}" font-size="11" fill="#234">{escape(line)}</text>'
        for row, line in enumerate(lines)
    ]
    mono = 'font-size="9.5" font-family="monospace" fill="#567"'
    last = y + HIGH - 9
    shown = [f'<text x="{x + 10}" y="{last - 12 * row}" {mono}>{one}</text>' for row, one in enumerate(left[:2])]
    return [*out, *shown]


def photographed() -> None:
    """Write the top of the report, as a browser shows it."""
    from tests.browser import browser

    with tempfile.TemporaryDirectory() as folder, browser(Path(folder)) as tab:
        tab.show(1100)
        tab.open(ROOT / "report/index.html")
        clip = {"x": 0, "y": 0, "width": 1100, "height": 1000, "scale": 1}
        done = tab.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        REPORT.write_bytes(base64.b64decode(done["data"]))


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    PIPELINE.write_text(pipeline(), encoding="utf-8", newline="\n")
    if "--report" in sys.argv:
        photographed()
