"""How judged pairs are written: TREC's qrels and runs, whose cells are parted by blanks."""

import re
from urllib.parse import quote, unquote

SUITABLE = 2
"""Grade, of 0 to 3, from which a supplier is one that an adviser would send the need to."""

_APART = re.compile(r"[\s%]")


def cell(supplier: str) -> str:
    """The id of a supplier as a cell holds it: a blank is %20, and a % is %25."""
    return _APART.sub(lambda found: quote(found[0]), supplier)


def supplier_of(cell: str) -> str:
    """The id of a supplier from what `cell` gave."""
    return unquote(cell)
