import random

from persuasion.surface import surface_accuracy


def rows(count, longer):
    """Pairs whose chosen text is the longer one in a share of ``longer``."""
    draw = random.Random(3)
    found = []
    for number in range(count):
        sizes = sorted((draw.randrange(10, 50), draw.randrange(60, 99)), reverse=draw.random() < longer)
        found.append({
            "pair_id": f"p{number:04}", "thread_id": f"t{number // 2}", "chosen": "word " * sizes[0],
            "rejected": "word " * sizes[1], "chosen_created_utc": 5, "rejected_created_utc": 5, "chosen_score": None,
            "rejected_score": None,
        })  # fmt: skip
    return found


def test_a_surface_that_tells_the_label_is_found_and_one_that_does_not_is_not():
    assert surface_accuracy(rows(300, 1.0)) > 0.97
    assert 0.4 < surface_accuracy(rows(300, 0.5)) < 0.6


def test_it_depends_on_no_order_and_few_threads_are_too_few():
    found = rows(60, 0.8)
    assert surface_accuracy(found) == surface_accuracy(random.Random(1).sample(found, 60))
    assert surface_accuracy(found[:8]) is None and surface_accuracy([]) is None
