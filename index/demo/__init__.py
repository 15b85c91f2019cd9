"""The demo directory: invented French companies, one JSONL file a sector."""

from pathlib import Path

from index.directory import read_suppliers
from index.suppliers import Supplier


def demo_suppliers() -> list[Supplier]:
    """Every invented supplier, sector by sector."""
    files = sorted(Path(__file__).parent.glob("*.jsonl"))
    return [s for file in files for s in read_suppliers(file, strict=True).suppliers]
