"""From the cells of a directory's line to a supplier's fields."""

import html
import json
import re
from collections.abc import Sequence
from typing import Any

from embed.passages import passages
from embed.text import clean, fold
from index.departments import department_code, department_of
from index.suppliers import MAX_CAPABILITIES, MAX_CAPABILITY, SupplierError

MAX_CELL = MAX_CAPABILITIES * MAX_CAPABILITY
"""Characters of a cell of capabilities: a longer one would be refused anyway, once it was cut."""

_SERIES = {
    "prototype": ("proto", "unitaire", "piece unique"),
    "petite": ("petit", "small"),
    "moyenne": ("moyen", "medium"),
    "grande": ("grand", "large"),
}
_BULLET = re.compile(r"^[-•·*–]\s+")
_BREAK_TAG = re.compile(r"<(?:br|/p|/li|/div|/tr)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^>]*>", re.IGNORECASE)
_ERROR = re.compile(r"#(?:[A-ZÀ-Ý]+ ?[!?]|N/A|DIV/0 ?!)")  # of a spreadsheet
_NOTHING = {"", "-", "n/a", "na", "neant", "aucun", "aucune", "sans objet", "nc"}


def record_of(values: dict[str, list[str]]) -> dict[str, Any]:
    """The fields of a supplier from the cells of each known column, all texts as they stand there.

    Lists are split, département names made codes, lost zeros given back, a missing id derived.
    Raises `SupplierError` for an unknown series; everything else is checked by the supplier.
    """
    record: dict[str, Any] = {name: cells[0] for name, cells in values.items()}
    record["name"] = _plain(record.get("name", ""))
    record["capabilities"] = [c for cell in values.get("capabilities", []) for c in _split(cell)]
    record["certifications"] = _list(values, "certifications")
    record["tags"] = _list(values, "tags")
    record["series"] = [_series(text) for text in _list(values, "series")]
    for name in ("lat", "lon"):
        if name in record:
            record[name] = record[name].replace(",", ".")
    _complete_numbers(record)
    record.setdefault("id", record.get("siret") or _derived_id(record))
    return record


def _complete_numbers(record: dict[str, Any]) -> None:
    """Give back the leading zeros that spreadsheets drop, and the département of a postcode."""
    for name, digits in (("postcode", 5), ("siret", 14)):
        compact = "".join(record.get(name, "").split())
        if compact.isdigit() and len(compact) >= digits - 1:
            record[name] = compact.zfill(digits)
    if "department" in record:
        record["department"] = department_code(record["department"])
    elif code := department_of(record.get("postcode", "")):
        record["department"] = code


def _plain(cell: str) -> str:
    """A cell without the tags and entities that a web site left in it, nor words for nothing."""
    text = html.unescape(_TAG.sub(" ", _BREAK_TAG.sub("\n", cell))).strip()
    return "" if _ERROR.fullmatch(text) or fold(text) in _NOTHING else text


def joined(texts: Sequence[str], name: str) -> str:
    """A list of texts as one cell that `record_of` reads as that list.

    Split by bars where that is enough, else as JSON: a capability may hold a bar or be long.
    """
    plain = " | ".join(texts)
    read = _split(plain) if name == "capabilities" else _list({name: [plain]}, name)
    guarded = plain.startswith("'")  # an apostrophe before a formula is taken for a guard
    return (
        plain
        if read == list(texts) and not guarded
        else json.dumps(list(texts), ensure_ascii=False)
    )


def _as_json(cell: str) -> list[str] | None:
    """The texts of a cell that `joined` has written as JSON."""
    try:
        texts = json.loads(cell) if cell.startswith('["') else None
    except ValueError:
        return None
    return texts if isinstance(texts, list) and all(isinstance(t, str) for t in texts) else None


def _split(cell: str) -> list[str]:
    if len(cell) > MAX_CELL:
        raise SupplierError(
            f"cellule de {len(cell)} caractères, {MAX_CELL} au plus. Résumez les capacités."
        )
    if (whole := _as_json(cell)) is not None:
        return whole
    parts = re.split(r"[|\n\r]+", _plain(cell))
    texts = (_BULLET.sub("", part.strip()) for part in parts if part.strip())
    return [passage for text in texts for passage in passages(text)]


def _list(values: dict[str, list[str]], name: str) -> list[str]:
    cells = values.get(name, [])
    if len(cells) == 1 and (whole := _as_json(cells[0])) is not None:
        return whole
    parts = re.split(r"[|;,\n\r]+", _plain("|".join(cells)))
    return [part.strip() for part in parts if fold(part.strip()) not in _NOTHING]


def _series(text: str) -> str:
    folded = fold(clean(text))
    for series, starts in _SERIES.items():
        if folded.startswith(starts):
            return series
    raise SupplierError(
        f"série inconnue : « {text[:60]} ». Donnez prototype, petite, moyenne ou grande."
    )


def _derived_id(record: dict[str, Any]) -> str:
    place = record.get("postcode") or record.get("city") or record.get("department") or ""
    parts = re.findall(r"[^\W_]+", fold(f"{record['name']} {place}"))
    return "-".join(parts)
