import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats import contingency_tables
from statsmodels.stats.multitest import multipletests

from persuasion import pairedtests as p

RNG = np.random.default_rng(8)


@pytest.mark.parametrize(
    ("wins", "losses"), [(0, 0), (1, 0), (5, 5), (10, 3), (3, 10), (40, 71), (900, 1000), (6000, 1)]
)
def test_mcnemar_is_the_exact_binomial_test(wins: int, losses: int) -> None:
    expected = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert p.mcnemar(wins, losses) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize(("wins", "losses"), [(3, 10), (40, 71), (7, 7)])
def test_mcnemar_is_that_of_statsmodels(wins: int, losses: int) -> None:
    assert p.mcnemar(wins, losses) == pytest.approx(
        contingency_tables.mcnemar([[50, wins], [losses, 30]], exact=True).pvalue
    )


def test_mcnemar_by_hand() -> None:
    assert p.mcnemar(4, 0) == pytest.approx(2 / 16)
    assert p.mcnemar(1, 3) == pytest.approx(10 / 16)


def sums(values: np.ndarray, posts: list[str]) -> np.ndarray:
    return np.array(
        [sum(v for v, post in zip(values, posts, strict=True) if post == name) for name in sorted(set(posts))]
    )


@pytest.mark.parametrize("posts", [4, 9, 12])
def test_few_posts_are_flipped_in_every_way(posts: int) -> None:
    """As scipy does it for the sums of the posts set against zeros."""
    names = [f"t{i}" for i in RNG.integers(0, posts, 40)]
    values = RNG.integers(-1, 3, 40) / 2
    totals = sums(values, names)
    theirs = stats.permutation_test(
        (totals, np.zeros_like(totals)), lambda a, b, axis: (a - b).sum(axis=axis), permutation_type="samples",
        n_resamples=np.inf, vectorized=True,
    )  # fmt: skip
    assert p.sign_flips(values, names, 10_000, seed=1) == pytest.approx(theirs.pvalue)


def test_many_posts_are_flipped_at_random_and_agree_with_scipy() -> None:
    names = [f"t{i}" for i in RNG.integers(0, 60, 150)]
    values = RNG.integers(-2, 4, 150) / 2
    totals = sums(values, names)
    theirs = stats.permutation_test(
        (totals, np.zeros_like(totals)), lambda a, b, axis: (a - b).sum(axis=axis), permutation_type="samples",
        n_resamples=20_000, vectorized=True, rng=np.random.default_rng(1),
    )  # fmt: skip
    ours = p.sign_flips(values, names, 20_000, seed=2)
    assert ours == pytest.approx(theirs.pvalue, abs=4 * math.sqrt(theirs.pvalue / 20_000) + 1e-3)


def test_flips_by_hand_and_never_zero() -> None:
    assert p.sign_flips([1.0, 1.0, 1.0], list("abc"), 100, 1) == 2 / 8
    assert p.sign_flips([1.0, 1.0, 1.0], list("aab"), 100, 1) == 2 / 4
    assert p.sign_flips([0.0, 0.0], list("ab"), 100, 1) == 1.0
    assert p.sign_flips([1.0] * 40, [str(i) for i in range(40)], 1000, 1) == 1 / 1001


def test_flips_do_not_depend_on_order_blocks_or_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    names, values = [f"t{i % 30}" for i in range(90)], RNG.normal(0.1, 1, 90)
    whole = p.sign_flips(values, names, 1000, 5)
    assert whole == p.sign_flips(values[::-1], names[::-1], 1000, 5) == p.sign_flips(-values, names, 1000, 5)
    monkeypatch.setattr(p, "BLOCK", 77)
    assert whole == p.sign_flips(values, names, 1000, 5)


def test_flips_keep_the_level_where_a_test_that_ignores_posts_does_not() -> None:
    """Without a true difference, and with pairs of a post alike, about one p in twenty is below 0.05."""
    names = [str(i // 6) for i in range(120)]
    ours = theirs = 0
    for trial in range(200):
        values = np.repeat(RNG.choice([-1.0, 1.0], 20), 6)
        ours += (p.sign_flips(values, names, 400, trial) or 0) <= 0.05
        theirs += p.mcnemar(int((values > 0).sum()), int((values < 0).sum())) <= 0.05
    assert ours <= 20 and theirs > 60


@pytest.mark.parametrize("values", [[], [1.0, math.inf], [math.nan, 1.0]])
def test_no_difference_no_p(values: list[float]) -> None:
    assert p.sign_flips(values, ["a", "b"][: len(values)], 100, 1) is None


def test_holm_by_hand() -> None:
    assert p.holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06}
    )
    assert p.holm({}) == {} and p.holm({"a": 0.8, "b": 0.9}) == {"a": 1.0, "b": 1.0}


@pytest.mark.parametrize("count", [1, 2, 9, 40])
def test_holm_is_that_of_statsmodels(count: int) -> None:
    for high in (0.01, 0.2, 1.0):
        values = RNG.uniform(0, high, count)
        values[count // 2 :] = values[count // 2]  # and ties
        theirs = multipletests(values, method="holm")[1]
        found = p.holm({str(i): v for i, v in enumerate(values)})
        assert [found[str(i)] for i in range(count)] == pytest.approx(theirs)


def test_holm_refuses_as_its_definition_does() -> None:
    """Rejecting at α steps down until a p exceeds α/(m − i + 1)."""
    for _ in range(50):
        values = {str(i): float(v) for i, v in enumerate(RNG.uniform(0, 0.08, 6))}
        for level in (0.01, 0.05, 0.1):
            rejected = set()
            for place, name in enumerate(sorted(values, key=values.get)):  # type: ignore[arg-type]
                if values[name] > level / (6 - place):
                    break
                rejected.add(name)
            assert {name for name, value in p.holm(values).items() if value <= level} == rejected
