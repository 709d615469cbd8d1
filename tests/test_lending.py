from hypothesis import given
from hypothesis import strategies as st

from persuasion.lending import lent


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8))
def test_a_pair_borrows_from_another_post_where_there_is_one_and_never_its_own_where_it_can(posts):
    batch = [{"pair_id": str(number), "prompt_ids": post} for number, post in enumerate(posts)]
    for row in lent(batch, batch):
        assert (row["lender"]["pair_id"] != row["pair_id"]) or len(batch) == 1
        assert (row["lender"]["prompt_ids"] != row["prompt_ids"]) == (len(set(posts)) > 1)


def test_a_part_of_a_batch_borrows_as_the_whole_does():
    batch = [{"pair_id": str(number), "prompt_ids": post} for number, post in enumerate("aabca")]
    assert lent(batch[1:3], batch) == lent(batch, batch)[1:3]
