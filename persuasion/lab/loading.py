"""``persuasion.load_pairs`` and ``load_adapter``: a version's pairs and adapter in memory, checked, by one call."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from persuasion.lab.getting import together

if TYPE_CHECKING:
    import datasets
    import peft

Device = Literal["auto", "cpu", "cuda"]


def load_pairs(rev: str | None = None, *, repo: str | None = None) -> "datasets.DatasetDict":
    """The pairs of a version by split: train, validation, test, with every column.

    ``rev``: tag, branch, commit, experiment, ``v1.0.0`` of the registry, or ``#prod``; None for the newest commit.
    ``repo``: a path or git address; None for the project that the process stands in.
    Raises the failures of ``persuasion.errors``; each has the exit code that the command line would give.
    """
    import datasets
    import pyarrow.parquet as parquet

    from persuasion.records import SPLITS

    with together(("pairs",), rev=rev, repo=repo) as got:
        files = {split: got["pairs"] / f"{split}.parquet" for split in SPLITS}
        tables = {split: parquet.read_table(file, memory_map=False) for split, file in files.items()}
    return datasets.DatasetDict({split: datasets.Dataset(table) for split, table in tables.items()})


def load_adapter(
    rev: str | None = None, *, repo: str | None = None, base: str | Path | None = None, device: Device = "auto"
) -> "peft.PeftModel":
    """The adapter of a version on its base, ready to use; ``policy.tokenizer`` is its tokenizer with the template.

    ``base``: a folder with the base model, where it need not be fetched; its hash must be the one that the adapter
    was trained on, else IntegrityFailure (7). ``device``: auto, cpu or cuda. float32. Else as ``load_pairs``.
    """
    import torch

    from persuasion.config import Compute
    from persuasion.errors import SurroundingsFailure
    from persuasion.models import load_policy, load_tokenizer

    names = ("adapter",) if base else ("adapter", "base")
    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        raise SurroundingsFailure("torch sees no GPU", fix='load_adapter(device="cpu")')
    # no thread count, seed or kernel of the caller's process is touched
    where = torch.device("cuda" if cuda and device != "cpu" else "cpu")
    settings = Compute(device=device, precision="float32", quantize="none", threads=1, batch_tokens=1)
    with together(names, rev=rev, repo=repo) as got:
        policy, _ = load_policy(Path(base) if base else got["base"], got["adapter"], settings, where)
        policy.tokenizer = load_tokenizer(got["adapter"])
    loaded: peft.PeftModel = policy
    return loaded
