"""Persuasion: from raw r/changemyview dumps to preference pairs to an aligned adapter."""
