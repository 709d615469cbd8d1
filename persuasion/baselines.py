"""Rules and small models that judge pairs without a language model: what the policy must beat.

Each baseline takes the training pairs and the judged pairs and gives every judged pair a score:
1 when it picks the chosen completion, 0 the rejected, ½ when it cannot tell them apart, None where it
cannot be asked. Training and judged pairs must come from different threads; that is the splits' promise.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import vstack
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from persuasion import measures
from persuasion.measures import Floats
from persuasion.records import Pair

Scores = list[float | None]
Pairs = Sequence[Pair]

FEWEST = 8
"""Training pairs below which nothing is fitted."""
EVEN = 1e-9
"""Decision values this close to zero are ties."""

WORDS = {"token_pattern": r"(?u)\b\w+\b"}
"""The default pattern of scikit-learn drops one-letter words, "I" among them."""
TOKEN = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
OVERLAPS = 12
STYLE = {
    "link": re.compile(r"https?://"),
    "quote": re.compile(r"^\s*>", re.M),
    "paragraph": re.compile(r"\n\s*\n"),
    "question": re.compile(r"\?"),
    "exclamation": re.compile(r"!"),
    "emphasis": re.compile(r"\*[^*\n]+\*"),
    "number": re.compile(r"\d+"),
    "example": re.compile(r"\b(?:for example|for instance|e\.g\.|such as)", re.I),
    "hedge": re.compile(r"\b(?:may|might|could|perhaps|maybe|possibly|probably|likely|seems?|somewhat|often)\b", re.I),
    "first": re.compile(r"\b(?:i|i'm|i've|me|my|mine)\b", re.I),
    "first_plural": re.compile(r"\b(?:we|us|our|ours)\b", re.I),
    "second": re.compile(r"\b(?:you|you're|you've|your|yours)\b", re.I),
    "definite": re.compile(r"\bthe\b", re.I),
    "indefinite": re.compile(r"\ban?\b", re.I),
}


def earlier(training: Pairs, judged: Pairs) -> Scores:
    """The earlier comment wins: on CMV the first good reply often takes the delta."""
    return _scores([pair.rejected_created_utc - pair.chosen_created_utc for pair in judged])


def score(training: Pairs, judged: Pairs) -> Scores:
    """The comment that readers voted higher wins; None where a score is unknown."""
    votes = [(pair.chosen_score, pair.rejected_score) for pair in judged]
    return [None if won is None or lost is None else _scores([won - lost])[0] for won, lost in votes]


def length(training: Pairs, judged: Pairs) -> Scores:
    """The comment with more words wins (a strong cue on CMV: Tan et al. 2016)."""
    return _scores([measures.words(pair.chosen) - measures.words(pair.rejected) for pair in judged])


def tfidf(training: Pairs, judged: Pairs) -> Scores:
    """Bag of words: logistic regression on the difference of the two completions' TF-IDF vectors."""
    if len(training) < FEWEST or not judged:
        return [None] * len(judged)
    vectorizer = TfidfVectorizer(sublinear_tf=True, **WORDS)
    try:
        vectorizer.fit([text for pair in training for text in (pair.chosen, pair.rejected)])
    except ValueError:  # not one word in all the training completions
        return [None] * len(judged)
    seen, asked = (
        vectorizer.transform([pair.chosen for pair in pairs]) - vectorizer.transform([pair.rejected for pair in pairs])
        for pairs in (training, judged)
    )
    return _scores(_fitted(vstack([seen, -seen])).decision_function(asked))


def interplay(training: Pairs, judged: Pairs) -> Scores:
    """Interplay with the post (Tan et al. 2016, arXiv:1602.01103, section 4.1): the twelve overlaps alone."""
    return _by_features(training, judged, slice(OVERLAPS))


def style(training: Pairs, judged: Pairs) -> Scores:
    """Length and style without a look at the post (Tan et al. 2016, section 4.2)."""
    return _by_features(training, judged, slice(OVERLAPS, None))


def _by_features(training: Pairs, judged: Pairs, kept: slice) -> Scores:
    """Logistic regression on the differences of some of the ``features``, scaled by their training spread."""
    if len(training) < FEWEST or not judged:
        return [None] * len(judged)
    seen, asked = (
        np.array([features(pair.prompt, pair.chosen) - features(pair.prompt, pair.rejected) for pair in pairs])[:, kept]
        for pairs in (training, judged)
    )
    spread = np.sqrt(np.mean(seen**2, axis=0))
    spread[spread == 0] = 1.0
    seen, asked = seen / spread, asked / spread
    return _scores(_fitted(np.vstack([seen, -seen])).decision_function(asked))


def features(prompt: str, completion: str) -> Floats:
    """A completion's features beside its post: 4 overlaps × all, stop and content words; length; style counts.

    Overlaps of word sets A (completion) and O (post): |A∩O|, |A∩O|/|A|, |A∩O|/|O|, |A∩O|/|A∪O|.
    Counts enter as log(1 + count).
    """
    reply, post = (set(TOKEN.findall(text.lower())) for text in (completion, prompt))
    stop = ENGLISH_STOP_WORDS
    overlaps = [_overlap(reply, post), _overlap(reply & stop, post & stop), _overlap(reply - stop, post - stop)]
    counts = [measures.words(completion), *(len(pattern.findall(completion)) for pattern in STYLE.values())]
    return np.array([*(value for row in overlaps for value in row), *np.log1p(counts)], dtype=float)


def _overlap(reply: set[str], post: set[str]) -> tuple[float, float, float, float]:
    both, either = len(reply & post), len(reply | post)
    return float(both), both / max(len(reply), 1), both / max(len(post), 1), both / max(either, 1)


def _fitted(differences: object) -> LogisticRegression:
    """Fit on both orientations stacked (chosen first, then rejected first), so no side is favoured."""
    half = differences.shape[0] // 2  # type: ignore[attr-defined]
    model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=1000)
    return model.fit(differences, np.repeat([1, 0], half))


def _scores(margins: Sequence[float] | Floats) -> Scores:
    array = np.asarray(margins, dtype=float)
    return [float(value) for value in measures.scores(np.where(np.abs(array) <= EVEN, 0.0, array))]


BASELINES: dict[str, Callable[[Pairs, Pairs], Scores]] = {
    "length": length,
    "earlier": earlier,
    "score": score,
    "tfidf": tfidf,
    "interplay": interplay,
    "style": style,
}
