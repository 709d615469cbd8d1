"""Which files of a source's folder hold data: the visible ones, or those of the monthly dumps' folders."""

from collections.abc import Iterable
from pathlib import Path

from persuasion.errors import DataFailure

HEAD = 1 << 20  # decompressed bytes looked at: a post of Tan et al. takes up to 500 KB before its comments
MONTHLY = ("comments", "submissions")  # the torrent of all Reddit has its RC_ and RS_ files there
_DVC_NOTE = (b"md5:", b"outs:", b"deps:", b"frozen:", b"wdir:", b"desc:", b"meta:")
_GUIDES = {"dataset_info.json": b'"file_name"', "axolotl.yaml": b"datasets:"}  # beside pairs: how others load them


def data_files(path: Path) -> list[Path]:
    """A folder's visible data files by name; where it has none, those of the monthly dumps' folders."""
    visible = _visible(path)
    folders = [inside for inside in visible if inside.name in MONTHLY and inside.is_dir()]
    found = _plain(visible) or _plain(file for folder in folders for file in _visible(folder))
    if not found:
        raise DataFailure(f"{path} holds no files", why="source.path names it", fix="put the dump's files there")
    return found


def _visible(path: Path) -> list[Path]:
    """What a folder shows, by name. Raises DataFailure for a link that leads nowhere: a file of the dump is missing."""
    visible = sorted(inside for inside in path.iterdir() if not inside.name.startswith("."))
    for inside in visible:
        if not inside.exists():
            raise DataFailure(f"{inside} leads nowhere", why="it links to what is not there", fix="mend or remove it")
    return visible


def _plain(paths: Iterable[Path]) -> list[Path]:
    """The files among them, without DVC's notes and what tells other programs how to load the rest."""
    return [path for path in paths if path.is_file() and not _is_dvc_note(path) and not _is_guide(path)]


def _is_dvc_note(file: Path) -> bool:
    if file.suffix != ".dvc":
        return False
    with file.open("rb") as stream:
        return stream.read(16).startswith(_DVC_NOTE)


def _is_guide(file: Path) -> bool:
    if file.name not in _GUIDES:
        return False
    with file.open("rb") as stream:
        return _GUIDES[file.name] in stream.read(HEAD)
