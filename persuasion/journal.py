"""What is written down after each epoch: a verdict on every validation pair, and replies to a few of them.

``training`` pairs are judged beside them, for the tables only: no figure and no choice depends on them.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from persuasion.calibration import nll_calibrated
from persuasion.config import Params
from persuasion.crisis import RESOURCE_MESSAGE, is_crisis
from persuasion.curves import Curve, Row
from persuasion.dpo import loss
from persuasion.encoding import EncodedPair
from persuasion.measures import accuracy, mean
from persuasion.processes import gathered, rank, share
from persuasion.records import EpochReply, EpochVerdict, Pair, Reference, Verdict
from persuasion.sampling import greedy, sample
from persuasion.scoring import score_pairs, verdict
from persuasion.tables import plain, read_rows, write_rows
from persuasion.verdicts import perplexities, rewards
from persuasion.whole import sharded

FIGURES = ("loss", "reward_margin", "reward_accuracy", "nll_calibrated")
VERDICTS, REPLIES = "verdicts.parquet", "replies.json"


class Journal:
    """Collects the per-epoch tables; call it with the epoch's number."""

    def __init__(
        self,
        lm: Any,
        tokenizer: Any,
        pairs: Sequence[Pair],
        encoded: Sequence[EncodedPair],
        reference: dict[str, Reference],
        params: Params,
    ) -> None:
        self.lm, self.tokenizer, self.params, self.reference = lm, tokenizer, params, reference
        self.pairs, self.encoded = pairs, encoded
        self.training: Sequence[EncodedPair] = ()
        self.run = ""
        self.verdicts: list[EpochVerdict] = []
        self.replies: list[EpochReply] = []
        self.shown = Curve("validation")

    @property
    def curve(self) -> list[Row]:
        """The figures of each epoch."""
        return self.shown.rows

    def __call__(self, epoch: int) -> None:
        """Judge and sample with the policy as it stands after ``epoch``."""
        judged = self._judge(self.encoded)
        losses = self._note(epoch, "validation", judged)
        self._note(epoch, "train", self._judge(self.training) if self.training else [])
        self.shown.add({"epoch": epoch, **validation(judged, losses), **_sides(judged)})
        self.replies += self._replies(epoch)

    def of(self, epoch: int) -> tuple[list[EpochVerdict], dict[str, Any]]:
        """The verdicts on validation pairs and the figures after ``epoch``."""
        figures = next(row for row in self.curve if row["epoch"] == epoch)
        verdicts = [one for one in self.verdicts if (one.epoch, one.split) == (epoch, "validation")]
        return verdicts, {name: figures[name] for name in FIGURES}

    def write(self, folder: Path) -> None:
        """Write what is in the tables for a checkpoint; of the pairs' own texts, their ids only."""
        write_rows(folder / VERDICTS, self.verdicts, EpochVerdict, ("epoch", "pair_id"))
        replies = [[reply.epoch, reply.pair_id, reply.text] for reply in self.replies]
        (folder / REPLIES).write_text(json.dumps(replies), encoding="utf-8")
        self.shown.write(folder)

    def read(self, folder: Path) -> None:
        """Take the tables of a checkpoint."""
        pairs = {pair.pair_id: pair for pair in self.pairs}
        self.verdicts = read_rows(folder / VERDICTS, EpochVerdict)
        self.shown.read(folder)
        replies = json.loads((folder / REPLIES).read_text(encoding="utf-8"))
        self.replies = [_reply(self.run, epoch, pairs[pair_id], text) for epoch, pair_id, text in replies]

    def _note(self, epoch: int, split: str, judged: Sequence[Verdict]) -> list[float]:
        """Keep the verdicts, and return their losses."""
        losses = [loss(one.margin) for one in judged]
        self.verdicts += [
            EpochVerdict(epoch=epoch, split=split, loss=one, **plain(verdict))
            for one, verdict in zip(losses, judged, strict=True)
        ]
        return losses

    def _judge(self, encoded: Sequence[EncodedPair]) -> list[Verdict]:
        """A verdict on every pair, each scored by one of all processes."""
        mine = score_pairs(self.lm, share(encoded), self.params.compute.batch_tokens)
        part = torch.tensor(mine, dtype=torch.float64, device=self.lm.device).reshape(-1, 2)
        scored = zip(encoded, gathered(part).tolist(), strict=True)
        beta = self.params.dpo.beta
        return [verdict(self.reference[pair.pair_id], chosen, other, beta) for pair, (chosen, other) in scored]

    def _replies(self, epoch: int) -> list[EpochReply]:
        few = self.params.train.sample_pairs
        if not few or (rank() > 0 and not sharded(self.lm)):  # FSDP wants the same calls of every process
            return []
        settings = greedy(self.params.train.sample_tokens, few)
        shown = list(zip(self.pairs[:few], self.encoded[:few], strict=True))
        argued = [(pair.pair_id, one.prompt) for pair, one in shown if not is_crisis(pair.prompt)]
        sampled = sample(self.lm, self.tokenizer, [prompt for _, prompt in argued], settings)
        texts = {name: reply.text for (name, _), reply in zip(argued, sampled, strict=True)}
        return [_reply(self.run, epoch, pair, texts.get(pair.pair_id, RESOURCE_MESSAGE)) for pair, _ in shown]


def _reply(run: str, epoch: int, pair: Pair, text: str) -> EpochReply:
    return EpochReply(
        epoch=epoch,
        run=run,
        pair_id=pair.pair_id,
        thread_id=pair.thread_id,
        prompt=pair.prompt,
        text=text,
        chosen=pair.chosen,
        rejected=pair.rejected,
    )


def _sides(verdicts: Sequence[Verdict]) -> Row:
    """Rewards, and perplexities of the policy, of both sides."""
    perplexity = perplexities(verdicts)["policy"]
    return {f"rewards_{side}": value for side, value in rewards(verdicts).items()} | {
        f"perplexity_{side}": value for side, value in perplexity.items()
    }


def validation(verdicts: Sequence[Verdict], losses: Sequence[float]) -> dict[str, float | None]:
    """The figures of one epoch; ``loss`` is the sigmoid DPO loss whatever is optimised, so that losses compare."""
    margins = [verdict.margin for verdict in verdicts]
    return {
        "loss": mean(losses),
        "reward_margin": mean(margins),
        "reward_accuracy": accuracy(margins),
        "nll_calibrated": nll_calibrated(margins),
    }
