"""Text to token ids, with the post's own frame intact and every cut counted.

User text is tokenised apart from the frame and with special tokens split, so nothing in a
post can become a control token, the prompt ends on a token boundary by construction, and a
long post loses its end, never the template around it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from persuasion.batching import Group
from persuasion.config import Encoding
from persuasion.errors import UsageFailure
from persuasion.records import Pair

SENTENCE_ENDS = (".", "!", "?", "\n")
CLOSERS = " \"')]*_”’»"  # what may follow a sentence's end inside one token
_MARK = "\ue000"  # a private-use character: stands for the post while the chat template is rendered
# some templates (Llama 3) write today's date; tokens that change at midnight fit no reference, so it is always this day
_CLOCK = "{%- macro strftime_now(form) -%}{{ {'%d %b %Y': '26 Jul 2024'}.get(form, '2024-07-26') }}{%- endmacro -%}"


@dataclass(frozen=True, slots=True)
class Frame:
    """Token ids before and after the post (BOS and template included), and the id that ends a completion.

    ``control`` are the ids that stand here only: never in the post, never within a completion.
    """

    head: tuple[int, ...]
    tail: tuple[int, ...]
    end: int
    control: frozenset[int]


@dataclass(frozen=True, slots=True)
class EncodedPair:
    """A pair as token ids, and beside each text the ids that the budgets cut off it."""

    pair_id: str
    prompt: tuple[int, ...]
    chosen: tuple[int, ...]
    rejected: tuple[int, ...]
    prompt_lost: tuple[int, ...]
    chosen_lost: tuple[int, ...]
    rejected_lost: tuple[int, ...]

    @property
    def unfit(self) -> str:
        """Why nothing can be learnt or judged from this pair as tokens; "" for a pair that serves."""
        if not self.prompt:
            return "empty_prompt"
        # a completion that lost nothing has the end token, which alone is no text
        if any(len(ids) < 2 - bool(lost) for ids, lost in self.completions):
            return "empty_completion"
        return "same_completions" if self.chosen == self.rejected else ""

    @property
    def completions(self) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
        """(ids kept, ids cut) of the chosen and the rejected completion."""
        return (self.chosen, self.chosen_lost), (self.rejected, self.rejected_lost)


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
    return Frame(bos + before, after, tokenizer.eos_token_id, _control(tokenizer))


def _control(tokenizer: Any) -> frozenset[int]:
    """Every special id, but not that of unknown text (unless it has another office too, as in GPT-2)."""
    unknown = {tokenizer.unk_token_id} - {tokenizer.bos_token_id, tokenizer.eos_token_id}
    return frozenset(set(tokenizer.all_special_ids) - unknown)


def _chat(tokenizer: Any) -> tuple[str, str]:
    """Render the chat template around a mark and return what stands before and after it."""
    if not tokenizer.chat_template:
        raise UsageFailure(
            "the tokenizer has no chat template",
            where="encoding.template",
            fix="set encoding.template: plain, with a prefix and a suffix",
        )
    message = [{"role": "user", "content": _MARK}]
    try:
        template = _CLOCK + tokenizer.get_chat_template()
        whole = tokenizer.apply_chat_template(
            message, chat_template=template, tokenize=False, add_generation_prompt=True
        )
        head, tail = whole.split(_MARK)
    except (TemplateError, ValueError) as error:
        raise UsageFailure(
            "the tokenizer's chat template does not show a user's text once",
            where="encoding.template",
            why=str(error),
            fix="set encoding.template: plain, with a prefix and a suffix",
        ) from None
    return head, tail


def _bos(tokenizer: Any) -> tuple[int, ...]:
    """The BOS id where this tokenizer puts one, else nothing."""
    first = tokenizer("a")["input_ids"][:1]
    return tuple(first) if first == [tokenizer.bos_token_id] else ()


def encode_prompt(tokenizer: Any, around: Frame, text: str, tokens: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return (prompt ids of at most ``tokens``, ids of the post that were cut)."""
    room = tokens - len(around.head) - len(around.tail)
    if room < 1:
        raise UsageFailure(f"encoding.prompt_tokens is {tokens}", why="the template alone fills it", fix="raise it")
    body = text_ids(tokenizer, around, text)
    kept = body if len(body) <= room else _to_sentence(tokenizer, body[:room])
    return (*around.head, *kept, *around.tail), tuple(body[len(kept) :])


def encode_completion(tokenizer: Any, around: Frame, text: str, tokens: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return (completion ids of at most ``tokens``, ids that were cut); a cut completion does not claim to end."""
    ids = (*text_ids(tokenizer, around, text), around.end)
    return ids[:tokens], ids[tokens:]


def encode_pair(tokenizer: Any, around: Frame, pair: Pair, settings: Encoding) -> EncodedPair:
    """Encode one pair within the token budgets."""
    prompt, lost = encode_prompt(tokenizer, around, pair.prompt, settings.prompt_tokens)
    room = settings.total_tokens - len(prompt)
    (chosen, a), (rejected, b) = (
        encode_completion(tokenizer, around, text, room) for text in (pair.chosen, pair.rejected)
    )
    return EncodedPair(pair.pair_id, prompt, chosen, rejected, lost, a, b)


def encode_thread(tokenizer: Any, around: Frame, prompt: str, completions: Sequence[str], settings: Encoding) -> Group:
    """Encode a post and all its comments, each within the token budgets."""
    ids, _ = encode_prompt(tokenizer, around, prompt, settings.prompt_tokens)
    room = settings.total_tokens - len(ids)
    return Group(ids, tuple(encode_completion(tokenizer, around, text, room)[0] for text in completions))


def text_ids(tokenizer: Any, around: Frame, text: str) -> list[int]:
    """Token ids of user text; control tokens written in it stay text, or are left out where a tokenizer cannot."""
    ids: list[int] = tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)["input_ids"]
    return [one for one in ids if one not in around.control]


def encode_whole(tokenizer: Any, texts: Sequence[str], tokens: int) -> list[int]:
    """One text, or a pair, with the special tokens that a classifier wants around it, cut to ``tokens``."""
    given = [text or "." for text in texts]  # a text without tokens is none to a model
    ids: list[int] = tokenizer(*given, split_special_tokens=True, truncation=True, max_length=tokens)["input_ids"]
    return ids


def _to_sentence(tokenizer: Any, ids: list[int]) -> list[int]:
    """Cut back to the last sentence end in the second half; keep all where there is none."""
    for length in range(len(ids), len(ids) // 2, -1):
        if tokenizer.decode(ids[length - 1]).rstrip(CLOSERS).endswith(SENTENCE_ENDS):
            return ids[:length]
    return ids
