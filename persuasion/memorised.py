"""How much of a reply was copied: the longest run of words that it shares with any training completion.

All replies are put into one suffix automaton (Blumer et al. 1985), through which the training completions are read
once, word by word, so time grows with both and memory with the replies only. Words are those of ``measures``
(lower-cased, split at white space), so that models with different tokenizers compare.
"""

from collections.abc import Iterable, Sequence

Words = Sequence[str]


def longest_runs(texts: Sequence[str], sources: Iterable[str]) -> list[int]:
    """For each text the length, in words, of the longest run that stands in any of ``sources`` too."""
    known = _Automaton([text.lower().split() for text in texts])
    for source in sources:
        known.read(source.lower().split())
    return known.longest()


class _Automaton:
    """Every run of words of the texts, as states; ``seen`` is the longest match read so far at each state."""

    def __init__(self, texts: Sequence[Words]) -> None:
        self.next: list[dict[str, int]] = [{}]
        self.link, self.length, self.seen = [-1], [0], [0]
        self.paths = [self._add(text) for text in texts]

    def read(self, words: Words) -> None:
        """Walk through a source, and note at each state how long a run led there."""
        state = matched = 0
        for word in words:
            while state and word not in self.next[state]:
                state = self.link[state]
                matched = self.length[state]
            if word in self.next[state]:
                state = self.next[state][word]
                matched += 1
            self.seen[state] = max(self.seen[state], matched)

    def longest(self) -> list[int]:
        """The longest noted run that ends anywhere in each text."""
        for state in sorted(range(1, len(self.next)), key=lambda one: -self.length[one]):
            above = self.link[state]  # what ends here ends also with every shorter run
            self.seen[above] = max(self.seen[above], min(self.seen[state], self.length[above]))
        best = [0] * len(self.next)
        for state in sorted(range(1, len(self.next)), key=lambda one: self.length[one]):
            best[state] = max(self.seen[state], best[self.link[state]])
        return [max((best[state] for state in path), default=0) for path in self.paths]

    def _add(self, words: Words) -> list[int]:
        """Add a text; returns the state of each of its beginnings."""
        last, path = 0, []
        for word in words:
            last = self._extended(last, word)
            path.append(last)
        return path

    def _extended(self, last: int, word: str) -> int:
        if word in self.next[last]:  # known from an earlier text
            there = self.next[last][word]
            return there if self.length[there] == self.length[last] + 1 else self._split(last, word, there)
        new = self._state(self.length[last] + 1)
        while last >= 0 and word not in self.next[last]:
            self.next[last][word] = new
            last = self.link[last]
        if last < 0:
            self.link[new] = 0
        else:
            there = self.next[last][word]
            straight = self.length[there] == self.length[last] + 1
            self.link[new] = there if straight else self._split(last, word, there)
        return new

    def _split(self, last: int, word: str, there: int) -> int:
        """Give the shorter runs that end at ``there`` a state of their own."""
        twin = self._state(self.length[last] + 1)
        self.next[twin] = dict(self.next[there])
        self.link[twin], self.link[there] = self.link[there], twin
        while last >= 0 and self.next[last].get(word) == there:
            self.next[last][word] = twin
            last = self.link[last]
        return twin

    def _state(self, length: int) -> int:
        self.next.append({})
        self.link.append(-1)
        self.length.append(length)
        self.seen.append(0)
        return len(self.next) - 1
