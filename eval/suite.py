"""An evaluation suite: suppliers, needs, and which supplier answers which need, judged 0 to 3.

A folder of `needs.jsonl`, `qrels.tsv` (TREC: need, 0, supplier, grade) and `suppliers.jsonl`;
without the last the suite is judged on the demo directory.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from embed.errors import MaillonError
from index.demo import demo_suppliers
from index.directory import read_suppliers
from index.qrels import SUITABLE, supplier_of
from index.suppliers import Supplier

NEEDS, QRELS, SUPPLIERS = "needs.jsonl", "qrels.tsv", "suppliers.jsonl"

OURS = Path(__file__).parent / "data"
"""The suite that ships with maillon, judged on the demo directory."""

GRADES = {3: "peut chiffrer demain", 2: "convient en grande partie", 1: "second contact", 0: "non"}
Split = Literal["dev", "test"]
Qrels = dict[str, dict[str, int]]


class SuiteError(MaillonError):
    """Every fault of a suite, a line each, in French: file, line, what is wrong, what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A need as somebody wrote it. Nobody in the directory meets a `gap`.

    A twin says the same as the need `twin_of` in another spelling, `twist`, and has its judgements.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    id: str
    text: str
    style: str = ""
    sector: str = ""
    department: str | None = None
    gap: bool = False
    split: Split = "test"
    twin_of: str | None = None
    twist: str | None = None

    @property
    def plain(self) -> bool:
        """Whether somebody meets it, and it repeats no other need."""
        return not self.gap and not self.twin_of


@dataclass(frozen=True, slots=True)
class Suite:
    """What `read_suite` found. `qrels` holds the judged pairs of every need but the twins'."""

    suppliers: list[Supplier]
    needs: list[Need]
    qrels: Qrels
    digest: str

    def grades(self, need: Need) -> dict[str, int]:
        """The judged suppliers of a need."""
        return self.qrels.get(need.twin_of or need.id, {})

    def part(self, split: Split | Literal["all"]) -> list[Need]:
        """The needs of a split, or all."""
        return [need for need in self.needs if split in ("all", need.split)]


_NEED = TypeAdapter(Need)


def read_suite(folder: Path, *, judged: bool = True) -> Suite:
    """Read and check a suite; raises `SuiteError` with every fault found.

    One that is not `judged` yet may have no qrels, and needs that nobody answers so far.
    """
    suppliers = _suppliers(folder)
    faults: list[str] = []
    needs = _needs(folder / NEEDS, faults)
    ids = {n.id for n in needs}, {s.id for s in suppliers}
    begun = judged or (folder / QRELS).exists()
    qrels = _qrels(folder / QRELS, *ids, faults) if begun else {}
    if judged and not faults:
        faults += _contradictions(needs, qrels)
    if faults:
        raise SuiteError("\n".join(faults))
    return Suite(suppliers, needs, qrels, _digest(folder))


def agreed(suite: Suite, second: Path) -> tuple[int, float]:
    """How many pairs a second judge judged too, and the quadratic weighted kappa of the two.

    After Cohen (1968), "Weighted kappa", Psychological Bulletin 70(4). Raises `SuiteError`.
    """
    faults: list[str] = []
    ids = {need.id for need in suite.needs}, {supplier.id for supplier in suite.suppliers}
    again = _qrels(second, *ids, faults)
    if faults:
        raise SuiteError("\n".join(faults))
    both = [
        (suite.qrels[need][supplier], grade)
        for need, grades in again.items()
        for supplier, grade in grades.items()
        if supplier in suite.qrels.get(need, {})
    ]
    if not both:
        raise SuiteError(f"{second.name}: aucune paire n'est jugée aussi dans la suite.")
    counts = np.zeros((4, 4))
    np.add.at(counts, tuple(np.array(both).T), 1)
    chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / len(both)
    apart = np.subtract.outer(np.arange(4), np.arange(4)) ** 2
    return len(both), float(1 - (apart * counts).sum() / (apart * chance).sum())


def _suppliers(folder: Path) -> list[Supplier]:
    file = folder / SUPPLIERS
    return read_suppliers(file, strict=True).suppliers if file.exists() else demo_suppliers()


def _needs(file: Path, faults: list[str]) -> list[Need]:
    found: dict[str, Need] = {}
    for line, text in _lines(file):
        place = f"{file.name}:{line}"
        try:
            need = _NEED.validate_json(text)
        except ValidationError as error:
            faults += [f"{place}: {_fault(e)}" for e in error.errors()]
            continue
        if not need.text.strip():
            faults.append(f"{place}: besoin sans texte. Décrivez-le ou retirez la ligne.")
        if found.setdefault(need.id, need) is not need:
            faults.append(f"{place}: l'identifiant {need.id} sert déjà. Donnez-en un autre.")
    faults += [
        f"{file.name}: {need.id} est le jumeau de {need.twin_of}, qui n'existe pas."
        for need in found.values()
        if need.twin_of and need.twin_of not in found
    ]
    return list(found.values())


def _fault(error: ErrorDetails) -> str:
    field = ".".join(map(str, error["loc"])) or "ligne"
    if error["type"] == "json_invalid":
        return "la ligne n'est pas un objet JSON."
    wrong = {"unexpected_keyword_argument": "champ inconnu", "missing": "champ manquant"}
    return f"{field}: {wrong.get(error['type'], 'valeur invalide')}."


def _qrels(file: Path, needs: set[str], suppliers: set[str], faults: list[str]) -> Qrels:
    qrels: Qrels = {}
    for line, text in _lines(file):
        place, cells = f"{file.name}:{line}", text.split()
        if len(cells) != 4:
            faults.append(
                f"{place}: {len(cells)} colonnes, 4 attendues : besoin 0 fournisseur note."
            )
            continue
        need, supplier, grade = cells[0], supplier_of(cells[2]), cells[3]
        if need not in needs:
            faults.append(f"{place}: le besoin {need} n'est pas dans {NEEDS}.")
        if supplier not in suppliers:
            faults.append(f"{place}: le fournisseur {supplier} n'est pas dans l'annuaire.")
        if grade not in ("0", "1", "2", "3"):
            faults.append(f"{place}: note {grade}, attendue de 0 à 3.")
        elif qrels.setdefault(need, {}).setdefault(supplier, int(grade)) != int(grade):
            faults.append(f"{place}: {need} et {supplier} sont déjà jugés autrement.")
    return qrels


def _contradictions(needs: list[Need], qrels: Qrels) -> Iterator[str]:
    for need in needs:
        best = max(qrels.get(need.twin_of or need.id, {}).values(), default=0)
        if need.gap and best >= SUITABLE:
            yield f"{NEEDS}: {need.id} est dit sans fournisseur (gap), or l'un est noté {best}."
        if not need.gap and best < SUITABLE:
            yield (
                f"{NEEDS}: {need.id} n'a aucun fournisseur noté {SUITABLE} ou 3. "
                'Jugez-en d\'autres, ou écrivez "gap": true.'
            )


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise SuiteError(f"{file}: introuvable ou illisible ({error.strerror}).") from error
    for line, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise SuiteError(
                f"{file.name}:{line}: le fichier n'est pas en UTF-8. Enregistrez-le en UTF-8."
            ) from error
        if text.strip():
            yield line, text


def _digest(folder: Path) -> str:
    files = (folder / name for name in (NEEDS, QRELS, SUPPLIERS))
    content = b"\0".join(file.read_bytes() for file in files if file.exists())
    return hashlib.sha256(content).hexdigest()[:12]


def write_needs(file: Path, needs: list[Need]) -> None:
    """Write needs one a line, without the fields that say nothing."""
    rows = [{k: v for k, v in _NEED.dump_python(need).items() if v} for need in needs]
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
