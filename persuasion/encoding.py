"""Text to token ids, with the post's own frame intact and every cut counted.

User text is tokenised apart from the frame and with special tokens split, so nothing in a
post can become a control token, the prompt ends on a token boundary by construction, and a
long post loses its end, never the template around it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from persuasion.batching import Group
from persuasion.config import Encoding
from persuasion.errors import UsageFailure
from persuasion.records import Pair

SENTENCE_ENDS = (".", "!", "?", "\n")
_MARK = "\ue000"  # a private-use character: stands for the post while the chat template is rendered


@dataclass(frozen=True, slots=True)
class Frame:
    """Token ids before and after the post (BOS and template included), and the id that ends a completion."""

    head: tuple[int, ...]
    tail: tuple[int, ...]
    end: int


@dataclass(frozen=True, slots=True)
class EncodedPair:
    """A pair as token ids, and which of its texts were cut."""

    pair_id: str
    prompt: tuple[int, ...]
    chosen: tuple[int, ...]
    rejected: tuple[int, ...]
    prompt_cut: bool
    completions_cut: int


def frame(tokenizer: Any, settings: Encoding) -> Frame:
    """What stands around every post. Raises UsageFailure where the tokenizer has no chat template or no EOS."""
    if tokenizer.eos_token_id is None:
        raise UsageFailure("the tokenizer has no end-of-sequence token", why="completions could never end")
    if settings.template == "plain":
        head, tail, bos = settings.prefix, settings.suffix, _bos(tokenizer)
    else:
        head, tail, bos = (*_chat(tokenizer), ())  # a chat template writes its own BOS
    ids = (tuple(tokenizer(part, add_special_tokens=False)["input_ids"]) for part in (head, tail))
    before, after = ids
    return Frame(bos + before, after, tokenizer.eos_token_id)


def _chat(tokenizer: Any) -> tuple[str, str]:
    """Render the chat template around a mark and return what stands before and after it."""
    if not tokenizer.chat_template:
        raise UsageFailure(
            "the tokenizer has no chat template",
            where="encoding.template",
            fix="set encoding.template: plain, with a prefix and a suffix",
        )
    message = [{"role": "user", "content": _MARK}]
    head, _, tail = tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True).partition(_MARK)
    return head, tail


def _bos(tokenizer: Any) -> tuple[int, ...]:
    """The BOS id where this tokenizer puts one, else nothing."""
    first = tokenizer("a")["input_ids"][:1]
    return tuple(first) if first == [tokenizer.bos_token_id] else ()


def encode_prompt(tokenizer: Any, around: Frame, text: str, tokens: int) -> tuple[tuple[int, ...], bool]:
    """Return (prompt ids of at most ``tokens``, whether the post was cut)."""
    room = tokens - len(around.head) - len(around.tail)
    if room < 1:
        raise UsageFailure(f"encoding.prompt_tokens is {tokens}", why="the template alone fills it", fix="raise it")
    body = text_ids(tokenizer, text)
    kept = body if len(body) <= room else _to_sentence(tokenizer, body[:room])
    return (*around.head, *kept, *around.tail), len(kept) < len(body)


def encode_completion(tokenizer: Any, around: Frame, text: str, tokens: int) -> tuple[tuple[int, ...], bool]:
    """Return (completion ids of at most ``tokens``, whether cut); a cut completion does not claim to end."""
    ids = (*text_ids(tokenizer, text), around.end)
    return ids[:tokens], len(ids) > tokens


def encode_pair(tokenizer: Any, around: Frame, pair: Pair, settings: Encoding) -> EncodedPair:
    """Encode one pair within the token budgets."""
    prompt, cut = encode_prompt(tokenizer, around, pair.prompt, settings.prompt_tokens)
    room = settings.total_tokens - len(prompt)
    (chosen, a), (rejected, b) = (
        encode_completion(tokenizer, around, text, room) for text in (pair.chosen, pair.rejected)
    )
    return EncodedPair(pair.pair_id, prompt, chosen, rejected, cut, a + b)


def encode_thread(tokenizer: Any, around: Frame, prompt: str, completions: Sequence[str], settings: Encoding) -> Group:
    """Encode a post and all its comments, each within the token budgets."""
    ids, _ = encode_prompt(tokenizer, around, prompt, settings.prompt_tokens)
    room = settings.total_tokens - len(ids)
    return Group(ids, tuple(encode_completion(tokenizer, around, text, room)[0] for text in completions))


def text_ids(tokenizer: Any, text: str) -> list[int]:
    """Token ids of user text; control tokens written in it stay text."""
    ids: list[int] = tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)["input_ids"]
    return ids


def _to_sentence(tokenizer: Any, ids: list[int]) -> list[int]:
    """Cut back to the last sentence end in the second half; keep all where there is none."""
    for length in range(len(ids), len(ids) // 2, -1):
        if tokenizer.decode(ids[length - 1]).rstrip(" ").endswith(SENTENCE_ENDS):
            return ids[:length]
    return ids
