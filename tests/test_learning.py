"""At full size: what the defaults promise, on threads that neither `base` nor `train` has seen."""

import pytest

from tests.project import copied, metrics, run

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = copied(tmp_path_factory.mktemp("full") / "project")
    run(project, "dvc", "repro", "report")
    return project


def check(figures):
    """The policy is good, the reference a coin, length says nothing, and the intervals keep them apart."""
    assert figures["reward_accuracy"] >= 0.75
    assert 0.40 <= figures["reference_accuracy"] <= 0.60
    assert figures["reward_accuracy_low"] > figures["reference_accuracy"]
    assert figures["reward_accuracy_low"] > figures["baseline"]["length"]["accuracy"]
    assert figures["baseline"]["tfidf"]["accuracy"] is not None
    assert set(figures["by_kind"]) == {"relation", "style"}


def test_it_learns_on_validation(project):
    figures = metrics(project, "evaluate")
    assert (figures["test_split"], figures["test_looks"]) == (0, 0)
    check(figures)
    assert metrics(project, "base")["perplexity"] < 2.5
    assert metrics(project, "generate")["eos_rate"] > 0.5


def test_it_holds_on_the_test_split_which_is_recorded(project):
    run(project, "dvc", "exp", "run", "--temp", "--name", "look", "-S", "evaluate.split=test")
    shown = run(project, "dvc", "exp", "apply", "look")
    assert shown.returncode == 0
    figures = metrics(project, "evaluate")
    assert (figures["test_split"], figures["test_looks"]) == (1, 1)
    assert len((project / "data/looks.jsonl").read_text().splitlines()) == 1
    check(figures)
