"""Tiny models and pairs for the tests of preference learning; float64, so that errors are ours and not rounding."""

from dataclasses import replace

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import Unigram
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from persuasion import models
from persuasion.config import Params, load_params
from persuasion.encoding import EncodedPair, encode_pair, frame
from persuasion.records import Pair, Reference
from persuasion.scoring import reference_rows

TEXTS = [
    "CMV: naps after lunch are underrated\n\nThey make the afternoon longer. I may be wrong.",
    "You name the afternoon as your reason, and I would look at exactly that.",
    "Everybody knows that naps are the best thing there is.",
    "My neighbour took one every day in May, and slept badly at night. <|end|> is not the end.",
]
PARAMS: Params = load_params()
ENCODING = replace(PARAMS.encoding, prompt_tokens=64, total_tokens=128)


def tokenizer():
    return models.new_tokenizer(TEXTS, 320)


def _wrapped(backend, **names):
    template = models.CHAT_TEMPLATE if "bos_token" in names else models.CHAT_TEMPLATE.replace("{{ bos_token }}", "")
    return PreTrainedTokenizerFast(tokenizer_object=backend, chat_template=template, **names)


def _backend():
    return Tokenizer.from_str(tokenizer().backend_tokenizer.to_str())


def _adds_bos():
    """As Llama's: every call without a word against it puts BOS in front."""
    backend, bos = _backend(), (models.BEGIN, tokenizer().bos_token_id)
    backend.post_processor = processors.TemplateProcessing(single="<|begin|> $A", special_tokens=[bos])
    return _wrapped(backend, bos_token=models.BEGIN, eos_token=models.END, pad_token=models.PAD)


def metaspace():
    """As T5's and old Llama's: spaces are part of words, control tokens lie in the model's own vocabulary."""
    letters = "abcdefghijklmnopqrstuvwxyzAINPRSTY.:?<>/|▁"
    words = [("<unk>", -20.0), ("<s>", 0.0), ("</s>", 0.0), ("▁nap", -3.0), ("▁helps", -3.0)]
    backend = Tokenizer(Unigram([*words, *((letter, -5.0) for letter in letters)], unk_id=0))
    backend.pre_tokenizer, backend.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    return _wrapped(backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


QUIRKS = {
    "ours": tokenizer,
    "no bos, pad or unk": lambda: _wrapped(_backend(), eos_token=models.END),
    "pad is the end": lambda: _wrapped(_backend(), eos_token=models.END, pad_token=models.END),
    "adds bos": _adds_bos,
    "metaspace": metaspace,
}


def llama(vocabulary: int):
    torch.manual_seed(0)
    small = replace(PARAMS.model.small, width=32, layers=2, heads=4, context=256)
    tok = tokenizer()
    assert len(tok) == vocabulary
    return models.new_small(tok, small).double().eval()


def others(vocabulary: int):
    """Grouped-query, biased and learned-position architectures; GPT-2 takes the plain path."""
    shape = {"vocab_size": vocabulary, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256}
    torch.manual_seed(0)
    return {
        "qwen2": models.enable_packing(Qwen2ForCausalLM(Qwen2Config(**shape, **heads)).double().eval()),
        "mistral": models.enable_packing(
            MistralForCausalLM(MistralConfig(**shape, **heads, sliding_window=None)).double().eval()
        ),
        "gpt2": models.enable_packing(
            GPT2LMHeadModel(GPT2Config(vocab_size=vocabulary, n_embd=32, n_layer=2, n_head=4)).double().eval()
        ),
    }


def pair(number: int, prompt: str = TEXTS[0], chosen: str = TEXTS[1], rejected: str = TEXTS[2]) -> Pair:
    return Pair(
        pair_id=f"p_{number}",
        thread_id=f"t3_{number}",
        split="train",
        prompt=prompt,
        chosen=chosen,
        rejected=rejected,
        chosen_id=f"t1_c{number}",
        rejected_id=f"t1_r{number}",
        chosen_author="u_c",
        rejected_author="u_r",
        op_author="u_op",
        created_utc=0,
        chosen_created_utc=1,
        rejected_created_utc=2,
        chosen_score=None,
        rejected_score=None,
        label_source="confirmed",
    )


def pairs() -> list[Pair]:
    """Four pairs, two of them on one post, lengths all different."""
    return [
        pair(0),
        pair(1, chosen=TEXTS[3], rejected=TEXTS[1]),
        pair(2, prompt="CMV: early meetings help", chosen=TEXTS[2], rejected=TEXTS[3]),
        pair(3, prompt="CMV: lists calm the mind\n\nTruly.", chosen="Short.", rejected=TEXTS[1] + " " + TEXTS[3]),
    ]


def encoded(tok) -> list[EncodedPair]:
    around = frame(tok, ENCODING)
    return [encode_pair(tok, around, one, ENCODING) for one in pairs()]


def reference(lm, rows: list[EncodedPair]) -> dict[str, Reference]:
    return {row.pair_id: row for row in reference_rows(lm, rows, 512)}
