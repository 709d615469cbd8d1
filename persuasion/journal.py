"""What is written down after each epoch: a verdict on every validation pair, and replies to a few of them."""

from collections.abc import Sequence
from typing import Any

from persuasion.calibration import nll_calibrated
from persuasion.config import Params
from persuasion.dpo import loss
from persuasion.encoding import EncodedPair
from persuasion.measures import accuracy, mean
from persuasion.records import EpochReply, EpochVerdict, Pair, Reference, Verdict
from persuasion.sampling import greedy, sample
from persuasion.scoring import judge_pairs
from persuasion.tables import plain


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
        self.last: list[Verdict] = []
        self.verdicts: list[EpochVerdict] = []
        self.replies: list[EpochReply] = []
        self.curve: list[dict[str, Any]] = []

    def __call__(self, epoch: int) -> None:
        """Judge and sample with the policy as it stands after ``epoch``."""
        dpo = self.params.dpo
        self.last = judge_pairs(self.lm, self.encoded, self.reference, dpo.beta, self.params.compute.batch_tokens)
        losses = [loss(verdict.margin, dpo.label_smoothing) for verdict in self.last]
        self.verdicts += [
            EpochVerdict(epoch=epoch, split="validation", loss=one, **plain(verdict))
            for one, verdict in zip(losses, self.last, strict=True)
        ]
        self.curve.append({"epoch": epoch, **validation(self.last, losses)})
        self.replies += self._replies(epoch)

    def _replies(self, epoch: int) -> list[EpochReply]:
        few = self.params.train.sample_pairs
        if not few:
            return []
        settings = greedy(self.params.train.sample_tokens, few)
        sampled = sample(self.lm, self.tokenizer, [pair.prompt for pair in self.encoded[:few]], settings)
        return [
            EpochReply(
                epoch=epoch,
                pair_id=pair.pair_id,
                thread_id=pair.thread_id,
                prompt=pair.prompt,
                text=reply.text,
                chosen=pair.chosen,
                rejected=pair.rejected,
            )
            for pair, reply in zip(self.pairs[:few], sampled, strict=True)
        ]


def validation(verdicts: Sequence[Verdict], losses: Sequence[float]) -> dict[str, float | None]:
    """The figures of one epoch; ``loss`` is the sigmoid DPO loss whatever is optimised, so that losses compare."""
    margins = [verdict.margin for verdict in verdicts]
    return {
        "loss": mean(losses),
        "reward_margin": mean(margins),
        "reward_accuracy": accuracy(margins),
        "nll_calibrated": nll_calibrated(margins),
    }
