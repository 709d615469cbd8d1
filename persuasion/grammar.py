"""A seeded grammar that writes discussions with a known, learnable difference between comments.

A post prefers act ``a`` to act ``b`` because of one ``drawback``. A thread carries one of two cues:

- *style*: comments worth a delta engage the stated drawback, give a case or concede a point; the
  others dismiss, assert or give generic advice. Both mention the same act, drawback and people.
- *relation*: all comments use the same sentences; those worth a delta speak about the drawback that
  *this* post states, the others about another drawback of the topic. Without the post they are alike.

``chance`` is a comment's true probability of a delta, and the delta is drawn with it: labels are
noisy. Ranking pairs by ``chance`` is therefore the best any judge can do: right on 94.5 % of pairs
(IDEAL_ACCURACY; style 95 %, relation 93.5 %; over 20,000 threads, two pairs per delta). Words alone
reach about as much on style and one half on relation.

Comments are drawn to a length that is independent of their worth, and comments that come after the
original poster's last visit restore equal shares of both styles, so that a model of the texts alone
prefers neither side. It does not know Reddit's raw form: that is ``fauna``.
"""

import math
from dataclasses import dataclass
from random import Random

from persuasion.frames import BAD, CLAIMS, CLOSERS, FILLERS, FOLLOWS, GOOD, LEADS, OPENERS, POST
from persuasion.topics import GROUPS, MONTHS, NUMBERS, PERSONS, SPANS, TOPICS

STYLE, RELATION = "style", "relation"
IDEAL_ACCURACY = 0.945
STYLE_SHARE = 0.7
PRESENT_SHARE = 0.92  # threads whose original poster comes back, reads and awards
LETTERS_PER_WORD = 5.3
CANDIDATES = 8  # drafts per comment; the one nearest to the drawn length stays
SIZES = (40, 58)  # a comment's drawn size, see _size


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the original poster holds: ``a`` rather than ``b``, for ``group``, because of ``drawback``."""

    topic: str
    a: str
    b: str
    group: str
    drawback: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A top-level comment's plain text; ``early``: the original poster read it, so a delta was drawn."""

    text: str
    chance: float
    early: bool
    delta: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Discussion:
    """A thread in plain text. ``body`` has paragraphs; the remarks are in the order of time."""

    kind: str
    view: View
    claim: str
    body: str
    remarks: tuple[Remark, ...]


def discussion(rng: Random) -> Discussion:
    """Write one thread: 6 comments, about one of which earns a delta from the original poster."""
    view = _view(rng)
    kind = STYLE if rng.random() < STYLE_SHARE else RELATION
    claim = _fill(rng, rng.choice(CLAIMS), view, view.drawback)
    lines = [sentence(rng, rng.choice(frames), view) for frames in POST]
    body = f"{lines[0]} {lines[1]}\n\n{lines[2]} {lines[3]}\n\n{lines[4]}"
    early, late = _plan_style(rng) if kind == STYLE else _plan_relation(rng)
    present = rng.random() < PRESENT_SHARE
    remarks = [_remark(rng, kind, view, worth, present) for worth in early]
    remarks += [_remark(rng, kind, view, worth, False) for worth in late]
    return Discussion(kind=kind, view=view, claim=claim, body=body, remarks=tuple(remarks))


def sentence(rng: Random, frame: str, view: View, drawback: str = "") -> str:
    """Fill a frame's slots and begin it with a capital."""
    text = _fill(rng, frame, view, drawback or view.drawback)
    return text[0].upper() + text[1:]


def _view(rng: Random) -> View:
    topic = rng.choice(list(TOPICS))
    a, b = rng.sample(TOPICS[topic].acts, 2)
    return View(topic=topic, a=a, b=b, group=rng.choice(GROUPS), drawback=rng.choice(TOPICS[topic].drawbacks))


def _fill(rng: Random, frame: str, view: View, drawback: str) -> str:
    return frame.format(
        a=view.a,
        b=view.b,
        group=view.group,
        drawback=drawback,
        gain=rng.choice(TOPICS[view.topic].gains),
        person=rng.choice(PERSONS),
        month=rng.choice(MONTHS),
        span=f"{rng.choice(NUMBERS)} {rng.choice(SPANS)}",
    )


def _plan_style(rng: Random) -> tuple[list[bool], list[bool]]:
    """Worth of the comments that were read and of those that came too late: three of each worth in all."""
    good, bad = rng.choice((1, 1, 1, 2)), rng.choice((2, 3))
    early, late = [True] * good + [False] * bad, [True] * (3 - good) + [False] * (3 - bad)
    rng.shuffle(early)
    rng.shuffle(late)
    return early, late


def _plan_relation(rng: Random) -> tuple[list[bool], list[bool]]:
    """As above; one comment in eight meets the post's drawback, so copying it does not pay."""
    early = [True] + [False] * 3
    rng.shuffle(early)
    return early, [False] * 4


def _remark(rng: Random, kind: str, view: View, worth: bool, early: bool) -> Remark:
    """Draft a comment several times, keep the draft nearest to a length drawn without regard to worth."""
    target = rng.randint(*SIZES)
    write = _style_draft if kind == STYLE else _relation_draft
    drafts = [write(rng, view, worth) for _ in range(CANDIDATES)]
    text, chance = min(drafts, key=lambda draft: abs(_size(draft[0]) - target))
    return Remark(text=text, chance=chance, early=early, delta=early and rng.random() < chance)


def _size(text: str) -> float:
    """Words, a third by count and the rest by letters: what a tokenizer counts lies between the two."""
    return (len(text.split()) + 2 * len(text) / LETTERS_PER_WORD) / 3


def _style_draft(rng: Random, view: View, worth: bool) -> tuple[str, float]:
    """Three moves, mostly of one's own side; the chance rises with their balance (logistic)."""
    own, other = (GOOD, BAD) if worth else (BAD, GOOD)
    frames: list[str] = []
    for _ in range(3):
        draw = rng.random()
        pool = FILLERS if draw < 0.12 else rng.choice(list((other if draw < 0.17 else own).values()))
        frames.append(rng.choice([frame for frame in pool if frame not in frames]))
    sides = [
        any(frame in move for move in GOOD.values()) - any(frame in move for move in BAD.values()) for frame in frames
    ]
    return _framed(rng, frames, view, view.drawback), 0.04 + 0.82 / (1 + math.exp(-8 * sum(sides) / 3))


def _relation_draft(rng: Random, view: View, worth: bool) -> tuple[str, float]:
    """The same sentences whatever the worth; only the drawback they speak about differs."""
    others = [item for item in TOPICS[view.topic].drawbacks if item != view.drawback]
    drawback = view.drawback if worth else rng.choice(others)
    rest = [rng.choice(FOLLOWS), rng.choice(FILLERS)]
    rng.shuffle(rest)
    return _framed(rng, [rng.choice(LEADS), *rest], view, drawback), 0.86 if worth else 0.04


def _framed(rng: Random, frames: list[str], view: View, drawback: str) -> str:
    opener = [rng.choice(OPENERS)] if rng.random() < 0.7 else []
    closer = [rng.choice(CLOSERS)] if rng.random() < 0.5 else []
    return " ".join(sentence(rng, frame, view, drawback) for frame in opener + frames + closer)
