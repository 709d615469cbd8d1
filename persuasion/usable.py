"""Which texts may stand in a pair or in the corpus: their length in words, and that they tell no verdict."""

from persuasion.config import Pairs
from persuasion.residue import announces_delta


def unfit(text: str, params: Pairs) -> str:
    """Why a text can be no completion: its length in words or a ``label_residue``; "" when it can."""
    words = len(text.split())
    if words < params.min_words:
        return "too_short"
    if words > params.max_words:
        return "too_long"
    return _residue(text, params)


def unfit_prompt(text: str, params: Pairs) -> str:
    """Why a text can be no prompt: its length in words or a ``label_residue``; "" when it can."""
    return "prompt_too_long" if len(text.split()) > params.max_prompt_words else _residue(text, params)


def _residue(text: str, params: Pairs) -> str:
    """``label_residue`` where a text announces the verdict; "" where not, or where nothing was to be cleaned."""
    return "label_residue" if params.clean and announces_delta(text) else ""
