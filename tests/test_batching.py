import torch
from hypothesis import given
from hypothesis import strategies as st

from persuasion.batching import Group, batches, pack, unpad

IDS = st.lists(st.integers(1, 9), min_size=1, max_size=6).map(tuple)
GROUPS = st.lists(st.builds(Group, IDS, st.lists(IDS, min_size=1, max_size=3).map(tuple)), min_size=1, max_size=5)
CPU = torch.device("cpu")


@given(GROUPS)
def test_a_row_holds_every_token_once_and_scores_every_completion_token(groups):
    row = pack(groups, CPU)
    assert row.ids.numel() == sum(group.tokens for group in groups) == sum(row.segments)
    assert row.targets.tolist() == [token for group in groups for c in group.completions for token in c]
    # the source of a target is the token before it: the prompt's last for a completion's first
    at = 0
    for group in groups:
        for completion in group.completions:
            sources = row.sources[at : at + len(completion)]
            before = [group.prompt[-1], *completion[:-1]]
            assert row.ids[0, sources].tolist() == before
            first = len(group.prompt)
            assert (row.positions[0, sources] + 1).tolist() == [*range(first, first + len(before))]
            at += len(completion)


@given(GROUPS, st.integers(1, 40))
def test_batches_keep_every_group_in_order_and_within_the_budget(groups, tokens):
    cut = list(batches(groups, tokens))
    assert [group for batch in cut for group in batch] == groups
    assert all(len(batch) == 1 or sum(group.tokens for group in batch) <= tokens for batch in cut)


@given(st.lists(st.tuples(IDS, IDS), min_size=1, max_size=6))
def test_unpad_undoes_padding(rows):
    width = max(len(prompt) + len(completion) for prompt, completion in rows)
    ids, labels, mask = [], [], []
    for prompt, completion in rows:
        pad = width - len(prompt) - len(completion)
        ids.append([*prompt, *completion, *[0] * pad])
        labels.append([-100] * len(prompt) + [*completion] + [-100] * pad)
        mask.append([1] * (width - pad) + [0] * pad)
    groups, order = unpad(torch.tensor(ids), torch.tensor(mask), torch.tensor(labels))
    flat = [(group.prompt, completion) for group in groups for completion in group.completions]
    assert sorted(order) == [*range(len(rows))]
    assert [rows[number] for number in order] == flat


def test_what_cannot_be_packed_is_said_so():
    ids, ones = torch.tensor([[1, 2, 3]]), torch.tensor([[1, 1, 1]])
    assert unpad(ids, ones, torch.tensor([[-100, -100, -100]])) is None  # no completion
    assert unpad(ids, ones, torch.tensor([[-100, 2, -100]])) is None  # the completion is not the end
