"""Suites to and from what others use: BEIR folders, and workbooks for those who judge in Excel."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from openpyxl import Workbook, load_workbook

from embed.text import fold
from eval.suite import (
    GRADES,
    NEEDS,
    QRELS,
    SUPPLIERS,
    Need,
    Split,
    Suite,
    SuiteError,
    write_needs,
)
from index.dialects import harmless
from index.directory import read_suppliers
from index.qrels import SUITABLE, cell
from index.suppliers import MAX_CAPABILITY, Supplier, SupplierError, as_json_line
from index.tables import Columns, Row, read_table

SHEETS = {
    "besoins": (
        "id", "texte", "style", "secteur", "département", "personne", "partie", "jumeau de",
        "variante",
    ),
    "jugements": ("besoin", "texte du besoin", "fournisseur", "nom", "capacités", "note"),
}  # fmt: skip
COLUMNS = Columns(
    names={
        "id": ("id", "identifiant", "n", "numero", "reference", "ref"),
        "text": ("texte", "text", "besoin", "besoins", "need", "demande", "description"),
        "style": ("style", "registre"),
        "sector": ("secteur", "sector", "filiere", "metier"),
        "department": ("departement", "department", "dep"),
        "gap": ("personne", "gap", "sans reponse"),
        "split": ("partie", "split"),
        "twin_of": ("jumeau de", "twin of"),
        "twist": ("variante", "twist"),
    },
    required=("text",),
    several=(),
    example="une colonne « texte » ou « besoin »",
)


def write_beir(folder: Path, suite: Suite) -> None:
    """Write a suite as BEIR does: corpus, queries, and qrels for dev and test."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    corpus = (
        {"_id": s.id, "title": s.name, "text": "\n".join(s.capabilities)} for s in suite.suppliers
    )
    _write_lines(folder / "corpus.jsonl", corpus)
    queries = (
        {"_id": n.id, "text": n.text, "metadata": {"style": n.style, "sector": n.sector}}
        for n in suite.needs
    )
    _write_lines(folder / "queries.jsonl", queries)
    for split in ("dev", "test"):
        rows = [
            f"{need.id}\t{supplier}\t{grade}"
            for need in suite.needs
            if need.split == split
            for supplier, grade in suite.grades(need).items()
        ]
        lines = ["query-id\tcorpus-id\tscore", *rows, ""]
        (folder / "qrels" / f"{split}.tsv").write_text("\n".join(lines), encoding="utf-8")


def read_beir(folder: Path, to: Path) -> None:
    """Write the suite of a BEIR folder; a document is a supplier of one capability a line.

    Where no grade is above 1, 1 means relevant and is written 3. A query without a suitable
    document becomes a gap; twins come back as needs of their own. Raises `SuiteError` naming file
    and line.
    """
    suppliers = [_supplier(folder, *line) for line in _read_lines(folder / "corpus.jsonl")]
    qrels = {split: _beir_qrels(folder / "qrels" / f"{split}.tsv") for split in ("dev", "test")}
    parts = {need: split for split, found in qrels.items() for need, _, _ in found}
    rows = [row for found in qrels.values() for row in found]
    if max((grade for _, _, grade in rows), default=0) <= 1:
        rows = [(need, supplier, max(GRADES) * grade) for need, supplier, grade in rows]
    answered = {need for need, _, grade in rows if grade >= SUITABLE}
    needs = [
        Need(
            id=_field(place, record, "_id"),
            text=_field(place, record, "text"),
            style=str((record.get("metadata") or {}).get("style", "")),
            sector=str((record.get("metadata") or {}).get("sector", "")),
            gap=str(record["_id"]) not in answered,
            split="dev" if parts.get(str(record["_id"])) == "dev" else "test",
        )
        for place, record in _read_lines(folder / "queries.jsonl")
    ]
    _write_suite(to, suppliers, needs, rows)


def write_workbook(file: Path, suite: Suite) -> None:
    """Write needs and judged pairs as a workbook, the grades last, to be read or mended."""
    book = Workbook(write_only=True)
    suppliers = {supplier.id: supplier for supplier in suite.suppliers}
    rows: dict[str, Iterator[tuple[object, ...]]] = {
        "besoins": (
            (
                n.id,
                n.text,
                n.style,
                n.sector,
                n.department,
                "oui" if n.gap else None,
                n.split,
                n.twin_of,
                n.twist,
            )
            for n in suite.needs
        ),
        "jugements": (
            (n.id, n.text, one, suppliers[one].name, " | ".join(suppliers[one].capabilities), grade)
            for n in suite.needs
            if not n.twin_of
            for one, grade in suite.grades(n).items()
        ),
    }
    for name, header in SHEETS.items():
        sheet = book.create_sheet(name)
        sheet.append(header)
        for row in rows[name]:
            sheet.append([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    book.save(file)


def read_workbook(file: Path) -> list[tuple[str, str, int]]:
    """The judgements of a workbook: need, supplier, grade. Raises `SuiteError` naming the row."""
    book = load_workbook(file, read_only=True, data_only=True)
    if "jugements" not in book.sheetnames:
        raise SuiteError(f"{file.name}: aucune feuille « jugements ».")
    sheet = book["jugements"]
    header, *rows = sheet.iter_rows(values_only=True)
    try:
        places = [header.index(name) for name in ("besoin", "fournisseur", "note")]
    except ValueError as error:
        raise SuiteError(
            f"{file.name}: colonnes besoin, fournisseur et note attendues sur la première ligne."
        ) from error
    found = []
    for number, row in enumerate(rows, start=2):
        need, supplier, grade = (row[place] for place in places)
        if grade is None:
            continue  # not judged yet
        if grade not in GRADES:
            raise SuiteError(f"{file.name}, ligne {number} : note {grade}, attendue de 0 à 3.")
        found.append((str(need), str(supplier), int(grade)))
    return found


def read_needs_table(file: Path, directory: Path, to: Path) -> None:
    """Write the suite of a table of needs (.xlsx or .csv), asked of the suppliers of a directory.

    Its judgements are those of the sheet « jugements », if there is one. Raises `MaillonError`
    where a file cannot be read, `SuiteError` naming the row that is no need.
    """
    suppliers = read_suppliers(directory).suppliers
    needs = [_need(file, row) for row in read_table(file, COLUMNS).rows]
    _write_suite(to, suppliers, needs, read_workbook(file) if _judged(file) else [])


def _judged(file: Path) -> bool:
    if file.suffix.lower() != ".xlsx":
        return False
    book = load_workbook(file, read_only=True)
    names: list[str] = book.sheetnames
    book.close()
    return "jugements" in names


def _need(file: Path, row: Row) -> Need:
    values: dict[str, Any] = {name: found[0] for name, found in row.values.items() if found}
    values["gap"] = fold(values.get("gap", "")) in ("oui", "1", "x", "vrai", "true", "personne")
    place = f"{file.name}, ligne {row.line}"
    if values.get("split", "test") not in get_args(Split):
        raise SuiteError(f"{place} : partie « {values['split']} », attendue dev ou test.")
    if not values.get("text"):
        raise SuiteError(f"{place} : besoin vide. Écrivez-le ou retirez la ligne.")
    return Need(**{"id": str(row.line), **values})


def write_qrels(file: Path, rows: list[tuple[str, str, int]]) -> None:
    """Write judgements as TREC does."""
    lines = [f"{need}\t0\t{cell(one)}\t{grade}" for need, one, grade in rows]
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")


def _write_suite(
    to: Path, suppliers: list[Supplier], needs: list[Need], rows: list[tuple[str, str, int]]
) -> None:
    to.mkdir(parents=True, exist_ok=True)
    _write_text(to / SUPPLIERS, map(as_json_line, suppliers))
    write_needs(to / NEEDS, needs)
    write_qrels(to / QRELS, rows)


def _supplier(folder: Path, place: str, record: Mapping[str, Any]) -> Supplier:
    name, lines = str(record.get("title") or ""), _field(place, record, "text").splitlines()
    capabilities = tuple(line[:MAX_CAPABILITY] for line in lines if line.strip())
    own = _field(place, record, "_id")
    try:
        return Supplier(own, name or own, capabilities)
    except SupplierError as error:
        raise SuiteError(f"{folder.name}/{place}: {error}") from error


def _beir_qrels(file: Path) -> list[tuple[str, str, int]]:
    if not file.exists():
        return []
    found = []
    with file.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.reader(lines, delimiter="\t"), start=1):
            if number == 1:
                continue
            if len(row) != 3 or not row[2].isdigit() or int(row[2]) not in GRADES:
                raise SuiteError(
                    f"{file.name}:{number}: attendu besoin, fournisseur, note de 0 à 3."
                )
            found.append((row[0], row[1], int(row[2])))
    return found


def _read_lines(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if not file.exists():
        raise SuiteError(f"{file} : introuvable. Un dossier BEIR a corpus.jsonl et queries.jsonl.")
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        place = f"{file.name}:{number}"
        try:
            record = json.loads(line)
        except ValueError as error:
            raise SuiteError(f"{place}: la ligne n'est pas un objet JSON.") from error
        if not isinstance(record, dict):
            raise SuiteError(f"{place}: la ligne n'est pas un objet JSON.")
        yield place, record


def _field(place: str, record: Mapping[str, Any], name: str) -> str:
    if not str(record.get(name) or "").strip():
        raise SuiteError(f"{place}: champ {name} vide ou absent.")
    return str(record[name])


def _write_lines(file: Path, records: Iterator[dict[str, Any]]) -> None:
    _write_text(file, (json.dumps(record, ensure_ascii=False) for record in records))


def _write_text(file: Path, lines: Iterator[str]) -> None:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
