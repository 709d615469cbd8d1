"""Regular expressions over plain wording: made, and what they are given."""

import re


def any_of(*patterns: str) -> re.Pattern[str]:
    """One pattern, whatever the case, for any of ``patterns``."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


def apostrophes(text: str) -> str:
    """One spelling of apostrophes, so that a pattern need know no other."""
    return re.sub(r"[\u2018\u2019\u02bc`]", "'", text)


def plain(text: str) -> str:
    """One spelling of apostrophes and white space."""
    return re.sub(r"\s+", " ", apostrophes(text))
