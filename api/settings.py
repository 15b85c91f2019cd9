"""What a service is started with; light, since the command line shows its defaults."""

from dataclasses import dataclass
from pathlib import Path

RATE = "300/minute"
"""Requests of one address under one key; completion alone may ask several a second."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Index folders, none for the demo, and what `maillon serve` may set."""

    folders: tuple[Path, ...] = ()
    rate: str = RATE
    keep_needs: int = 0
    metrics: bool = False
