"""Pairs through the door: encode, score, and build reference rows and verdicts."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from persuasion.batching import Group
from persuasion.config import Encoding
from persuasion.dpo import reward
from persuasion.encoding import EncodedPair, encode_pair, frame
from persuasion.errors import DataFailure, IntegrityFailure
from persuasion.logps import score
from persuasion.records import Pair, Reference, Verdict
from persuasion.tables import read_rows


def encode_pairs(tokenizer: Any, pairs: Sequence[Pair], settings: Encoding) -> list[EncodedPair]:
    """Encode the pairs within the token budgets, without those that are unfit as tokens (``dropped`` of `reference`).

    Raises DataFailure where none of the pairs given is left.
    """
    around = frame(tokenizer, settings)
    every = [encode_pair(tokenizer, around, pair, settings) for pair in pairs]
    fit = [pair for pair in every if not pair.unfit]
    if every and not fit:
        why = ", ".join(sorted({pair.unfit for pair in every}))
        raise DataFailure(f"none of {len(every)} pairs is left as tokens", why=why, fix="raise encoding.total_tokens")
    return fit


def encoded_ones(pairs: Sequence[Pair], encoded: Sequence[EncodedPair]) -> list[Pair]:
    """Those of ``pairs`` that stand in ``encoded``, in their order there."""
    by_id = {pair.pair_id: pair for pair in pairs}
    return [by_id[pair.pair_id] for pair in encoded]


def score_pairs(lm: Any, pairs: Sequence[EncodedPair], batch_tokens: int) -> list[tuple[float, float]]:
    """Return (chosen, rejected) summed log-probs of each pair; a prompt or completion shared by pairs runs once."""
    completions: dict[tuple[int, ...], dict[tuple[int, ...], float]] = {}
    for pair in pairs:
        completions.setdefault(pair.prompt, {}).update({pair.chosen: 0.0, pair.rejected: 0.0})
    groups = [Group(prompt, tuple(texts)) for prompt, texts in completions.items()]
    for group, logps in zip(groups, score(lm, groups, batch_tokens), strict=True):
        completions[group.prompt] = dict(zip(group.completions, logps, strict=True))
    return [(completions[p.prompt][p.chosen], completions[p.prompt][p.rejected]) for p in pairs]


def reference_rows(lm: Any, pairs: Sequence[EncodedPair], batch_tokens: int) -> list[Reference]:
    """Score ``pairs`` under the reference (no adapter)."""
    return [
        Reference(
            pair_id=pair.pair_id,
            reference_chosen_logp=chosen,
            reference_rejected_logp=rejected,
            chosen_tokens=len(pair.chosen),
            rejected_tokens=len(pair.rejected),
        )
        for pair, (chosen, rejected) in zip(pairs, score_pairs(lm, pairs, batch_tokens), strict=True)
    ]


def verdict(row: Reference, chosen: float, rejected: float, beta: float) -> Verdict:
    """Judge one pair from the policy's log-probs and its reference row."""
    chosen_reward = reward(chosen, row.reference_chosen_logp, beta)
    rejected_reward = reward(rejected, row.reference_rejected_logp, beta)
    return Verdict(
        pair_id=row.pair_id,
        policy_chosen_logp=chosen,
        policy_rejected_logp=rejected,
        reference_chosen_logp=row.reference_chosen_logp,
        reference_rejected_logp=row.reference_rejected_logp,
        chosen_reward=chosen_reward,
        rejected_reward=rejected_reward,
        margin=chosen_reward - rejected_reward,
        chosen_tokens=row.chosen_tokens,
        rejected_tokens=row.rejected_tokens,
    )


def judge_pairs(
    lm: Any, pairs: Sequence[EncodedPair], reference: dict[str, Reference], beta: float, batch_tokens: int
) -> list[Verdict]:
    """Score ``pairs`` under the policy and set them against their reference rows."""
    logps = score_pairs(lm, pairs, batch_tokens)
    return [verdict(reference[pair.pair_id], *both, beta) for pair, both in zip(pairs, logps, strict=True)]


def reference_key(base_sha256: str, precision: str, encoded: Mapping[str, Sequence[EncodedPair]]) -> dict[str, str]:
    """What reference log-probs depend on: base weights, precision, and the very tokens scored in each split.

    The tokens stand for the pairs, the template, the tokenizer and every cut.
    """
    key = {"base_sha256": base_sha256, "precision": precision}
    for split, pairs in encoded.items():
        hasher = sha256()
        for pair in sorted(pairs, key=lambda pair: pair.pair_id):
            hasher.update(repr((pair.pair_id, pair.prompt, pair.chosen, pair.rejected)).encode())
        key[f"{split}_tokens_sha256"] = hasher.hexdigest()
    return key


def load_reference(folder: Path, key: dict[str, str], pairs: Sequence[EncodedPair]) -> dict[str, Reference]:
    """Read the reference rows by pair id.

    Raises IntegrityFailure when they were made under another key or lack a pair.
    """
    try:
        known = json.loads((folder / "key.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fix = "run `dvc repro reference`"
        raise DataFailure(f"{folder} has no readable key.json", why=str(error), fix=fix) from None
    other = [name for name in key if known.get(name) != key[name]]
    rows = {row.pair_id: row for row in read_rows(folder / "logps.parquet", Reference)}
    missing = [pair.pair_id for pair in pairs if pair.pair_id not in rows]
    if other or missing:
        raise IntegrityFailure(
            "the reference log-probs do not belong to these pairs and this base",
            where=folder,
            why=f"differs: {', '.join(other)}" if other else f"{len(missing)} pairs are missing, first {missing[0]}",
            fix="run `dvc repro train`, which makes them anew",
        )
    return rows
