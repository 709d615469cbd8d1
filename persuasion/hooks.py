"""Models of the user's own that look at replies: a classifier, a reward model, a language model as a judge.

Folders on this machine only, safetensors only, and no code of theirs is run. What they say is a proxy and is named so.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from transformers import AutoModelForSequenceClassification

from persuasion.config import Compute, Encoding, Judge, Params
from persuasion.duels import Judgement, duel, longer
from persuasion.encoding import encode_prompt, encode_whole, frame, text_ids
from persuasion.errors import SurroundingsFailure, UsageFailure
from persuasion.models import load_base, load_tokenizer
from persuasion.records import Reply
from persuasion.streams import alone
from persuasion.undefined import NO_REPLIES, Figure

SHOWN = 2000  # characters of a text that a judge is shown
QUESTION = (
    "A post on a forum asks to be argued with:\n\n{post}\n\nReply A:\n{first}\n\nReply B:\n{second}\n\n"
    "Which reply would sooner change the author's view, A or B? Answer with one letter.\nAnswer:"
)


def proxies(rows: Sequence[Reply], params: Params, device: torch.device) -> dict[str, object]:
    """What models of the user's own say of the replies, under names that say so; nothing where none is named."""
    found: dict[str, object] = {}
    if params.safety.classifier:
        found["classifier_proxy"] = classify(Path(params.safety.classifier), [row.text for row in rows], device)
    judge = judgement(params.judge, params.compute, device)
    if judge:
        found["judge_proxy"] = duel(rows, judge, params.judge.bootstrap, params.generate.seed)
    return found


def judgement(settings: Judge, compute: Compute, device: torch.device) -> Judgement | None:
    """The judge that ``judge.kind`` names; None for ``none``.

    Raises SurroundingsFailure where its folder holds no such model, UsageFailure where it cannot judge.
    """
    if settings.kind == "none":
        return None
    if settings.kind == "length":
        return longer
    folder = Path(settings.model or "")
    return _rewarded(folder, device) if settings.kind == "reward" else _asked(folder, compute, device)


def classify(folder: Path, texts: Sequence[str], device: torch.device) -> dict[str, Figure]:
    """The share of ``texts`` to which a sequence classifier gives each of its labels; undefined without texts.

    Labels exclude each other unless the model's config says ``multi_label_classification``.
    """
    lm, tokenizer = _classifier(folder, device)
    several = lm.config.problem_type == "multi_label_classification"
    names = [_key(name) for name in lm.config.id2label.values()]
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageFailure(
            f"the model in {folder} has no labels that can be told apart",
            where="safety.classifier",
            why=", ".join(names),
            fix="choose another, or give them names in its config.json (id2label)",
        )
    counts = dict.fromkeys(names, 0)
    for text in texts:
        logits = _logits(lm, tokenizer, (text,))
        hits = (logits > 0).nonzero()[:, 0].tolist() if several else [int(logits.argmax())]
        for hit in hits:
            counts[_key(lm.config.id2label[hit])] += 1
    return {name: count / len(texts) if texts else NO_REPLIES for name, count in sorted(counts.items())}


def _rewarded(folder: Path, device: torch.device) -> Judgement:
    """Bradley-Terry on the scores of a reward model: σ(first − second). It sees one reply at a time, so no order."""
    lm, tokenizer = _classifier(folder, device)
    if lm.config.num_labels != 1:
        raise UsageFailure(
            f"the model in {folder} gives {lm.config.num_labels} figures",
            where="judge.model",
            why="a reward model gives one",
            fix="choose another, or name it as safety.classifier",
        )

    def judge(post: str, first: str, second: str) -> float:
        one, other = (_logits(lm, tokenizer, (post, text)) for text in (first, second))
        return float(torch.sigmoid(one - other))

    return judge


def _asked(folder: Path, compute: Compute, device: torch.device) -> Judgement:
    """A language model is asked for a letter; the chance of A against B is its answer. Texts cannot give orders in
    control tokens, but they can in words: one more reason why this is a proxy.
    """
    lm, tokenizer = load_base(folder, compute, device)
    template: Literal["chat", "plain"] = "chat" if tokenizer.chat_template else "plain"
    positions = getattr(lm.config, "max_position_embeddings", 4096)
    around = frame(tokenizer, Encoding(template=template, prefix="", suffix="", prompt_tokens=16, total_tokens=17))
    space = "" if template == "chat" else " "  # a template begins the turn, and so the word
    letters = [text_ids(tokenizer, around, space + letter)[-1] for letter in "AB"]

    def judge(post: str, first: str, second: str) -> float:
        text = QUESTION.format(post=post[:SHOWN], first=first[:SHOWN], second=second[:SHOWN])
        ids, lost = encode_prompt(tokenizer, around, text, positions)
        if lost:
            raise UsageFailure(
                f"the judge in {folder} has {positions} positions",
                where="judge.model",
                why="post and replies do not fit",
                fix="choose a model with more",
            )
        with torch.no_grad():
            logits = alone(lm, ids, [])[0, letters]
        return float(logits.float().softmax(0)[0])

    return judge


def _classifier(folder: Path, device: torch.device) -> tuple[Any, Any]:
    tokenizer = load_tokenizer(folder)
    try:
        lm, found = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        # transformers draws by chance what a folder lacks, and only warns
        why = f"it has no {min(found['missing_keys'])}" if found["missing_keys"] else ""
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
    if why:
        raise SurroundingsFailure(f"no sequence classifier can be loaded from {folder}", why=why)
    return lm.to(device).eval(), tokenizer


@torch.no_grad()
def _logits(lm: Any, tokenizer: Any, texts: tuple[str, ...]) -> torch.Tensor:
    """[labels] for one text, or one pair of texts."""
    longest = min(getattr(lm.config, "max_position_embeddings", None) or 512, 4096) - 2
    ids = torch.tensor([encode_whole(tokenizer, texts, longest)], device=lm.device)
    logits: torch.Tensor = lm(input_ids=ids).logits[0].float()
    return logits


def _key(label: str) -> str:
    """A label as part of a metric's name."""
    return re.sub(r"\W+", "_", str(label).lower()).strip("_") or "unnamed"
