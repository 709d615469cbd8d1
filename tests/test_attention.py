import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch.nn.attention.flex_attention import flex_attention
from torch.nn.functional import scaled_dot_product_attention as attend

from persuasion import attention
from persuasion.attention import packed_attention, visible
from persuasion.batching import Group, pack

CPU = torch.device("cpu")
LENGTHS = st.lists(st.tuples(st.integers(0, 5), st.lists(st.integers(1, 5), max_size=3)), min_size=1, max_size=4)


def packed(lengths):
    groups = [Group((1,) * prompt, tuple((2,) * n for n in completions)) for prompt, completions in lengths]
    return pack([group for group in groups if group.tokens], CPU)


def tensors(row, sharing, last):
    torch.manual_seed(0)
    total, kept = row.ids.numel(), row.kept.numel() if last else row.ids.numel()
    sizes = ((2 * sharing, kept, 4), (2, total, 4), (2, total, 4))
    return [torch.randn(size, dtype=torch.float64, requires_grad=True) for size in sizes]


def dense(query, key, value, mask):
    """The rule as one mask over the whole row."""
    return attend(query[None], key[None], value[None], attn_mask=mask, scale=0.3, enable_gqa=True)[0].transpose(0, 1)


def ruled(row, last):
    sees = visible(row, last=last)
    places = torch.arange(row.kept.numel() if last else row.ids.numel())
    return sees(None, None, places[:, None], torch.arange(row.ids.numel())[None])


@settings(deadline=None, max_examples=60)
@given(LENGTHS.filter(lambda lengths: packed(lengths).ids.numel()), st.sampled_from([1, 3]), st.booleans())
@example([(100, [3, 97]), (0, [200]), (96, [96, 1])], 2, True)
@example([(200, [97, 2, 96]), (0, [100]), (1, [193])], 1, False)
def test_calls_on_slices_are_the_rule_forward_and_backward(lengths, sharing, last):
    row = packed(lengths)
    given = tensors(row, sharing, last)
    ours, truth = packed_attention(*given, row, 0.3, last=last), dense(*given, ruled(row, last))
    torch.testing.assert_close(ours, truth, atol=1e-12, rtol=0)
    pull = torch.randn_like(truth)
    wanted, got = (torch.autograd.grad((out * pull).sum(), given) for out in (truth, ours))
    for a, b in zip(wanted, got, strict=True):
        torch.testing.assert_close(a, b, atol=1e-12, rtol=0)


def test_the_rule_is_own_prompt_and_own_past():
    row = packed([(2, [2, 1]), (1, [1])])
    assert ruled(row, False).int().tolist() == [
        [1, 0, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0, 0],
        [1, 1, 1, 1, 0, 0, 0],
        [1, 1, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 1, 1],
    ]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("last", [False, True])
def test_what_a_gpu_would_run_is_the_same_by_flex_attentions_reference(last, monkeypatch):
    monkeypatch.setattr(attention, "_compiled_flex", lambda: flex_attention)
    row = packed([(5, [4, 3]), (2, [6, 1, 2])])
    query, key, value = (tensor.detach() for tensor in tensors(row, 2, last))
    ours = packed_attention(query, key, value, row, 0.3, last=last)
    torch.testing.assert_close(attention._on_gpu(query, key, value, row, 0.3, last), ours)
