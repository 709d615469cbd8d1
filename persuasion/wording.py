"""What replies are like as text: how varied, how repetitive, how hard to read, in what style.

Plain functions of strings; what cannot be defined is None, and says why in ``figures``. Words are lower-cased and
split at white space, as in ``measures``, unless it says otherwise.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from persuasion.measures import distinct_n, mean, ngrams
from persuasion.patterns import apostrophes
from persuasion.undefined import NO_REPLIES, Undefined, each, told

Gram = tuple[str, ...]
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_SENTENCE = re.compile(r"[^.!?\n]*[^\W_][^.!?\n]*")  # what holds a letter or digit, up to a mark or a line's end
_VOWELS = re.compile(r"[aeiouy]+")
STYLE = {
    "questions": re.compile(r"\?"),
    "exclamations": re.compile(r"!"),
    "hedges": re.compile(
        r"\b(?:may|might|could|perhaps|maybe|possibly|probably|likely|seems?|somewhat|often|sometimes|usually|"
        r"i (?:think|believe|guess|feel|suppose))\b",
        re.I,
    ),
    "first_person": re.compile(r"\b(?:i|i'm|i've|i'd|me|my|mine|we|us|our)\b", re.I),
    "second_person": re.compile(r"\b(?:you|you're|you've|you'd|your|yours)\b", re.I),
    "concessions": re.compile(
        r"\b(?:you(?:'re| are) right|i (?:agree|see your point|understand|grant)|fair (?:point|enough)|good point|"
        r"that said|granted)\b",
        re.I,
    ),
    "examples": re.compile(r"\b(?:for example|for instance|e\.g\.|such as|in one case)", re.I),
    "links": re.compile(r"https?://|\bwww\.|\b(?-i:URL)\b", re.I),
    "list_items": re.compile(r"^\s*(?:[-*•]|\d+[.)])\s", re.M),
    "quotes": re.compile(r"^\s*(?:>|&gt;)", re.M),
    "paragraphs": re.compile(r"(?:\A|\n\s*\n)\s*\S"),
}


def figures(texts: Sequence[str]) -> dict[str, object]:
    """All figures of this room for one model's replies."""
    repeated = mean([share for text in texts if (share := repetition(text, 4)) is not None])
    return {
        **{f"distinct_{n}": told(distinct_n(texts, n), _shorter(n)) for n in (1, 2, 3)},
        "self_bleu": told(self_bleu(texts), Undefined("fewer than two replies with words")),
        "repetition_4": told(repeated, _shorter(4)),
        "empty_rate": told(mean([not text.strip() for text in texts]), NO_REPLIES),
        "readability": each(readability(texts), Undefined("no reply with words of letters")),
        "style": each(style(texts), NO_REPLIES),
    }


def _shorter(n: int) -> Undefined:
    return Undefined(f"no reply of {n} words" if n > 1 else "no reply with words")


def repetition(text: str, n: int) -> float | None:
    """1 - distinct n-grams / n-grams of one text (seq-rep-n of Welleck et al. 2020, arXiv:1908.04319)."""
    grams = ngrams(text, n)
    return 1 - len(set(grams)) / len(grams) if grams else None


def self_bleu(texts: Sequence[str], order: int = 4) -> float | None:
    """Mean BLEU of each text against all others: 1 when all say the same (Zhu et al. 2018, arXiv:1802.01886).

    BLEU (Papineni et al. 2002) of n-grams up to ``order``, with 0.1 in place of no match (Chen and Cherry 2014,
    method 1) and the closest reference's length, of two equally close the shorter. Texts without words are left
    out; None with fewer than two others.
    """
    counts = [[Counter(ngrams(text, n)) for n in range(1, order + 1)] for text in texts if text.split()]
    if len(counts) < 2:
        return None
    lengths = [sum(grams[0].values()) for grams in counts]
    best = [_two_best(grams[n] for grams in counts) for n in range(order)]
    return mean([_bleu(grams, lengths, place, best) for place, grams in enumerate(counts)])


def _two_best(counters: Iterable[Counter[Gram]]) -> dict[Gram, tuple[int, int]]:
    """The two largest counts of every n-gram: its owner's own is one of them, or the first is the others' largest."""
    best: dict[Gram, tuple[int, int]] = {}
    for counter in counters:
        for gram, count in counter.items():
            first, second = best.get(gram, (0, 0))
            best[gram] = (count, first) if count > first else (first, max(second, count))
    return best


def _bleu(
    grams: Sequence[Counter[Gram]], lengths: Sequence[int], place: int, best: Sequence[dict[Gram, tuple[int, int]]]
) -> float:
    logs = 0.0
    for own, known in zip(grams, best, strict=True):
        matched = 0
        for gram, count in own.items():
            first, second = known[gram]
            matched += min(count, second if count == first else first)
        if not matched and own is grams[0]:
            return 0.0  # not one word in common
        logs += math.log((matched or 0.1) / max(sum(own.values()), 1))
    length = lengths[place]
    others = (other for at, other in enumerate(lengths) if at != place)
    reference = min(others, key=lambda other: (abs(other - length), other))
    return min(1.0, math.exp(1 - reference / length)) * math.exp(logs / len(best))


def readability(texts: Sequence[str]) -> dict[str, float | None]:
    """Means of Flesch reading ease (Flesch 1948), Flesch-Kincaid grade (Kincaid et al. 1975) and their parts.

    206.835 - 1.015 words/sentence - 84.6 syllables/word, and 0.39 words/sentence + 11.8 syllables/word - 15.59.
    English only; syllables are runs of vowels without a silent e, which is right about nine times in ten.
    """
    counted = [(len(words), len(_SENTENCE.findall(text)), sum(map(syllables, words))) for text in texts
               if (words := _WORD.findall(apostrophes(text.lower())))]  # fmt: skip
    rates = [(words / max(sentences, 1), beats / words) for words, sentences, beats in counted]
    return {
        "flesch": mean([206.835 - 1.015 * long - 84.6 * heavy for long, heavy in rates]),
        "grade": mean([0.39 * long + 11.8 * heavy - 15.59 for long, heavy in rates]),
        "words_per_sentence": mean([long for long, _ in rates]),
        "syllables_per_word": mean([heavy for _, heavy in rates]),
    }


def syllables(word: str) -> int:
    """Runs of vowels in a lower-cased word, without a silent e at its end; at least one."""
    found = len(_VOWELS.findall(word))
    silent = word.endswith("e") and not word.endswith(("le", "ee", "ye")) and found > 1
    return max(found - silent, 1)


def style(texts: Sequence[str]) -> dict[str, float | None]:
    """The mean number a reply of words, sentences and each mark of style."""
    return {
        "words": mean([len(text.split()) for text in texts]),
        "sentences": mean([len(_SENTENCE.findall(text)) for text in texts]),
        **{name: mean([len(mark.findall(apostrophes(text))) for text in texts]) for name, mark in STYLE.items()},
    }
