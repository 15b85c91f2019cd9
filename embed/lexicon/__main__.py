"""`python -m embed.lexicon`: check the lexicon and count it, sector by sector."""

from collections import Counter

from rich.console import Console
from rich.table import Table

from embed.lexicon import near_duplicates, read_lexicon


def main() -> None:
    """Print a line a sector, then the pairs that look like one entry written twice."""
    entries = read_lexicon()
    counts = Counter(entry.sector for entry in entries)
    branches = {(entry.sector, entry.branch) for entry in entries}
    table = Table("sector", "entries", "branches", "lay phrases")
    for sector, count in counts.items():
        lay = sum(len(entry.lay) for entry in entries if entry.sector == sector)
        table.add_row(sector, str(count), str(sum(s == sector for s, _ in branches)), str(lay))
    total = sum(len(entry.lay) for entry in entries)
    table.add_row(f"{len(counts)} sectors", str(len(entries)), str(len(branches)), str(total))
    console = Console()
    console.print(table)
    for one, other in near_duplicates(entries):
        console.print(f"near duplicates: {one} and {other}")


if __name__ == "__main__":
    main()
