"""`python -m embed.lexicon`: check the lexicon and count it, sector by sector."""

from collections import Counter

from rich.console import Console
from rich.table import Table

from embed.lexicon import near_duplicates, read_asks, read_lexicon


def main() -> None:
    """Print a line a sector, then the pairs that look like one entry written twice."""
    entries = read_lexicon()
    asks = read_asks(entries)
    asked = Counter(one.partition("/")[0] for ask in asks for one in ask.ids)
    counts = Counter(entry.sector for entry in entries)
    branches = {(entry.sector, entry.branch) for entry in entries}
    table = Table("sector", "entries", "branches", "lay phrases", "asked for")
    for sector, count in counts.items():
        lay = sum(len(entry.lay) for entry in entries if entry.sector == sector)
        inside = sum(one == sector for one, _ in branches)
        table.add_row(sector, *map(str, (count, inside, lay, asked[sector])))
    lay = sum(len(entry.lay) for entry in entries)
    whole = (len(entries), len(branches), lay, f"{len(asks)} asks")
    table.add_row(f"{len(counts)} sectors", *map(str, whole))
    console = Console()
    console.print(table)
    for one, other in near_duplicates(entries):
        console.print(f"near duplicates: {one} and {other}")


if __name__ == "__main__":
    main()
