"""``persuasion export adapter``: the adapter, or adapter and base as one model, for programs that know nothing of us.

peft finds the base by the name in adapter_config.json. A hub model is named with its revision; a base that only this
project has travels along, unless its name elsewhere is given. A merged model is judged anew, for rounding to bfloat16
changes it.
"""

import json
import shutil
from contextlib import chdir
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from persuasion import measures
from persuasion.config import PARAMS, Params, load_params
from persuasion.errors import DataFailure, IntegrityFailure, UsageFailure
from persuasion.files import digest, replaced_folder, write_json, write_text
from persuasion.lab.hashes import output_md5
from persuasion.lab.locks import entries
from persuasion.records import Pair, Verdict

ADAPTER, CARD, PAIRS, REFERENCE = (
    Path(p) for p in ("models/adapter", "report/adapter-card.md", "data/pairs", "data/reference")
)
BASE, README, KEY, CONFIG, WEIGHTS = (
    "base",
    "README.md",
    "persuasion.json",
    "adapter_config.json",
    "adapter_model.safetensors",
)
SPLIT = "validation"
"""Judged after merging: a look at the test pairs would be one more."""
WORST = 0.1
"""Nats per token by which merging may change log-probabilities on average; rounding alone stays far below."""
_OURS = {README, KEY, CONFIG, WEIGHTS, BASE, "config.json", "generation_config.json", "chat_template.jinja", "LICENSE"}
_LOADED = "from transformers import {auto}\n\nmodel = {auto}.from_pretrained({place})"
_ATTACHED = "from peft import {auto}\n\nmodel = {auto}.from_pretrained({place})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """Accuracy on ``pairs`` of ``SPLIT`` before and after merging; the mean change of a log-prob in nats per token."""

    pairs: int
    reward_accuracy: float | None
    reward_accuracy_merged: float | None
    change_per_token: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What was written to ``folder``, the base by which it loads ("" where it needs none), and how to load it."""

    folder: str
    files: dict[str, int]
    base: str
    merged: Merged | None
    guide: str


def adapter(root: Path, out: str | None, *, base: str | None, merge: bool) -> Published:
    """Write a folder that peft (merged: transformers) loads alone.

    ``base``: the hub id or path by which the base is found where the folder will be used; None for its hub name, or
    a copy inside the folder. Raises UsageFailure for a place that is taken or a merge into 4 bits, DataFailure where
    there is no adapter, IntegrityFailure for an adapter of another base or one that merging changes.
    """
    target = (Path(out) if out else root / "exports" / ("merged" if merge else "adapter")).absolute()
    if merge and base:
        raise UsageFailure("a merged model has no base to be named", fix="leave --base out")
    _require_own(target)
    with chdir(root):
        params = load_params(PARAMS)
        _require_pair(params)
        with replaced_folder(target) as partial:
            told = _merge(params, partial) if merge else None
            name = "" if merge else _attach(params, partial, target, base)
            guide = _guide(partial, out or target.relative_to(root).as_posix(), merged=merge)
            known = base or (params.model.name if params.model.kind == "hub" else None)
            _write_card(partial, known, told, guide)
        files = {p.relative_to(target).as_posix(): p.stat().st_size for p in sorted(target.rglob("*")) if p.is_file()}
    return Published(folder=out or str(target), files=files, base=name, merged=told, guide=guide)


def as_json(told: Published) -> dict[str, Any]:
    """The summary for ``--json``."""
    return asdict(told)


def text(told: Published) -> str:
    """The summary as lines."""
    lines = [f"Written   {told.folder}: {len(told.files)} files, {sum(told.files.values()):,} bytes"]
    if told.base:
        lines.append(f"Base      {told.base}")
    if told.base == str(Path(told.folder).absolute() / BASE):
        lines.append(
            "          goes along; where the folder moves, name it in adapter_config.json, or export with --base"
        )
    if told.merged:
        lines += [f"{key.replace('_', ' '):24} {value}" for key, value in asdict(told.merged).items()]
    return "\n".join([*lines, "Load it   with", "", told.guide])


def _require_own(folder: Path) -> None:
    """Raise UsageFailure for a folder that is no earlier export: it is replaced as a whole."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name} if folder.exists() else set()
    if names and (KEY not in names or {name for name in names if not _known(name)}):
        raise UsageFailure(f"{folder} holds something else", why="an export replaces its folder", fix="name a new -o")


def _known(name: str) -> bool:
    return name in _OURS or name.startswith(("model", "tokenizer", "vocab", "merges", "special_tokens", "added_tokens"))


def _require_pair(params: Params) -> None:
    """Raise unless the adapter is there and belongs to the base that lies here."""
    if not (ADAPTER / WEIGHTS).is_file():
        raise DataFailure(
            "there is no adapter here", where=ADAPTER, fix="dvc repro, or `persuasion pull models/adapter`"
        )
    folder = params.base.folder
    if not folder.is_dir():
        raise DataFailure("the adapter's base is not here", where=folder, fix=f"persuasion pull {folder}")
    if json.loads((ADAPTER / KEY).read_text(encoding="utf-8"))["base_sha256"] != digest(folder):
        raise IntegrityFailure(
            "the adapter was trained on another base model", where=f"{ADAPTER} against {folder}", fix="dvc repro train"
        )


def _attach(params: Params, partial: Path, target: Path, base: str | None) -> str:
    """Copy the adapter and name its base; return that name."""
    for file in ADAPTER.iterdir():
        shutil.copyfile(file, partial / file.name)
    settings = json.loads((partial / CONFIG).read_text(encoding="utf-8"))
    model = params.model
    plain = params.base.serves == "base"  # else the base has learnt further here, and no hub has it
    revision = model.revision if base is None and model.kind == "hub" and plain else None
    name = base or (model.name if revision else None) or str(target / BASE)
    if name == str(target / BASE):
        shutil.copytree(params.base.folder, partial / BASE)
    write_json(partial / CONFIG, settings | {"base_model_name_or_path": name, "revision": revision})
    return name


def _merge(params: Params, partial: Path) -> Merged:
    """Write base and adapter as one bfloat16 model, read it back, and judge both it and what it was made of."""
    if params.compute.quantize != "none":
        raise UsageFailure(
            "an adapter trained on a base in 4 bits is not merged",
            where="compute.quantize",
            why="in the full weights it meets another base than the one it learnt to correct",
            fix="export it without --merge, or train with compute.quantize: none",
        )
    import torch

    from persuasion.device import prepare
    from persuasion.models import load_base, load_policy
    from persuasion.scoring import encode_pairs, judge_pairs, load_reference, reference_key
    from persuasion.tables import require_rows

    device = prepare(params.compute, params.train.seed)
    policy, tokenizer = load_policy(params.base.folder, ADAPTER, params.compute, device)
    encoded = encode_pairs(tokenizer, require_rows(PAIRS / f"{SPLIT}.parquet", Pair), params.encoding)
    key = reference_key(digest(params.base.folder), params.compute.weights, {SPLIT: encoded})
    reference = load_reference(REFERENCE, key, encoded)

    def judged(lm: Any) -> list[Verdict]:
        return judge_pairs(lm, encoded, reference, params.dpo.beta, params.compute.batch_tokens)

    before = judged(policy.get_base_model())
    whole = policy.merge_and_unload().to(torch.bfloat16)
    whole.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    facts = json.loads((ADAPTER / KEY).read_text(encoding="utf-8"))
    write_json(partial / KEY, facts | {"adapter_sha256": digest(ADAPTER)})
    del whole, policy
    again, _ = load_base(partial, replace(params.compute, precision="bfloat16"), device)
    return _compared(before, judged(again))


def _compared(before: list[Verdict], after: list[Verdict]) -> Merged:
    changes, tokens = 0.0, 0
    for one, other in zip(before, after, strict=True):
        changes += abs(one.policy_chosen_logp - other.policy_chosen_logp)
        changes += abs(one.policy_rejected_logp - other.policy_rejected_logp)
        tokens += one.chosen_tokens + one.rejected_tokens
    told = Merged(
        pairs=len(before),
        reward_accuracy=measures.accuracy([one.margin for one in before]),
        reward_accuracy_merged=measures.accuracy([one.margin for one in after]),
        change_per_token=round(changes / tokens, 6),
    )
    if not told.change_per_token <= WORST:
        raise IntegrityFailure(
            "the merged model is not the one that was trained",
            why=f"log-probabilities differ by {told.change_per_token} nats per token, more than {WORST}",
            fix="export the adapter without --merge",
        )
    return told


def _guide(partial: Path, place: str, *, merged: bool) -> str:
    """The lines of Python by which it loads."""
    if merged:
        config = json.loads((partial / "config.json").read_text(encoding="utf-8"))
        auto = "AutoModelForSeq2SeqLM" if config.get("is_encoder_decoder") else "AutoModelForCausalLM"
        return _LOADED.format(auto=auto, place=json.dumps(place))
    task = json.loads((partial / CONFIG).read_text(encoding="utf-8")).get("task_type")
    auto = "AutoPeftModelForSeq2SeqLM" if task == "SEQ_2_SEQ_LM" else "AutoPeftModelForCausalLM"
    return _ATTACHED.format(auto=auto, place=json.dumps(place))


def _write_card(partial: Path, base: str | None, merged: Merged | None, guide: str) -> None:
    """The card with the figures of `evaluate` where they are this adapter's, else that of `train`; and how to load."""
    card = (CARD if _reported() else ADAPTER / README).read_text(encoding="utf-8")
    _, front, body = card.split("---\n", 2)
    head = yaml.safe_load(front)
    head.pop("base_model")  # a folder of this project is no model of the Hub's
    head = ({"base_model": base} if base else {}) | head
    if merged:  # neither the adapter's library nor its results are the merged model's
        head |= {"library_name": "transformers", "base_model_relation": "merge"}
        head.pop("model-index", None)
    parts = [f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=1000)}---\n{body}"]
    if merged:
        rows = "\n".join(f"| {name.replace('_', ' ')} | {value} |" for name, value in asdict(merged).items())
        parts.append(
            "## Merged\n\nAdapter and base in one, rounded to bfloat16 and judged again on validation pairs; the"
            f" figures above are those of the adapter.\n\n| | |\n|---|---|\n{rows}\n"
        )
    parts.append(f"## Load it\n\n```python\n{guide}\n```\n")
    write_text(partial / README, "\n".join(parts))


def _reported() -> bool:
    """Whether the report's card is of the adapter that lies here, as dvc.lock has both."""
    if not CARD.is_file() or not Path("dvc.lock").is_file():
        return False
    made = {entry.path: entry.md5 for entry in entries(Path())}
    return all(made.get(path) == output_md5(Path(path)) for path in (ADAPTER.as_posix(), CARD.parent.as_posix()))
