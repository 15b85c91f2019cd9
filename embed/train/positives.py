"""French texts of one meaning: labels and definitions, needs and codes, pitches and summaries."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from embed.train.reading import key, objects, records

Pairs = Iterator[tuple[str, str]]

HELD_OUT = 8
"""One procurement notice in this many is kept for the dev measure."""


class Positives(NamedTuple):
    """Two columns of French texts of one source; `left[i]` and `right[i]` belong together."""

    source: str
    left: list[str]
    right: list[str]


def positives(data: Path) -> list[Positives]:
    """Read every French positive pair, by source, without the procurement notices held out.

    Raises OSError if a file of the data folder is missing.
    """
    return [
        Positives(source, *map(list, zip(*dict.fromkeys(read(data)), strict=True)))
        for source, read in READERS.items()
    ]


def held_out(notice: str) -> bool:
    """Tell by hash whether a procurement notice (its key `avis`) belongs to the dev part."""
    digest = hashlib.blake2b(notice.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") % HELD_OUT == 0


def needs(data: Path, *, dev: bool) -> Iterator[dict[str, str]]:
    """Read the rows of the procurement file in the dev part, or those outside it."""
    for record in records(data / "procurement" / "besoins_cpv.train.tsv.gz"):
        if held_out(record["avis"]) is dev:
            yield record


def filed(data: Path) -> tuple[list[dict[str, str]], list[set[int]], list[str]]:
    """Read the dev needs, each once a notice, the places of their CPV labels, and all labels.

    The notice's further codes are right answers too.
    """
    table = list(records(data / "cpv" / "cpv2008_fr_en.tsv.gz"))
    places = {row["code"][:8]: place for place, row in enumerate(table)}
    kept = {(row["avis"], key(row["objet"])): row for row in needs(data, dev=True)}
    asked = list(kept.values())
    codes = [[row["cpv"], *row["cpv_autres"].split()] for row in asked]
    right = [{places[code] for code in each if code in places} for each in codes]
    return asked, right, [row["fr"] for row in table]


def _dev_keys(data: Path) -> set[str]:
    return {key(record["objet"]) for record in needs(data, dev=True)}


def _need_to_code(data: Path) -> Pairs:
    """Read needs with their CPV label, without the texts of the dev part."""
    dev = _dev_keys(data)
    for record in needs(data, dev=False):
        if key(record["objet"]) not in dev:
            yield record["objet"], record["cpv_libelle"]


def _need_to_descriptor(data: Path) -> Pairs:
    """Read notices of at most three descriptors, without the texts of the dev part."""
    dev = _dev_keys(data)
    for record in records(data / "procurement" / "besoins_descripteurs.train.tsv.gz"):
        labels = record["descripteurs_libelles"].split(" | ")
        if len(labels) <= 3 and key(record["objet"]) not in dev:
            yield record["objet"], ", ".join(labels)


def _code_to_path(data: Path) -> Pairs:
    """Pair a CPV label and the labels of its ancestors, nearest first."""
    table = {r["code"][:8]: r for r in records(data / "cpv" / "cpv2008_fr_en.tsv.gz")}
    for record in table.values():
        path, parent = [], table.get(record["parent"])
        while parent:
            path.append(parent["fr"])
            parent = table.get(parent["parent"])
        if path:
            yield record["fr"], ", ".join(path[:2])


def _skills(data: Path) -> Pairs:
    for name in ("competences", "metiers"):
        for concept in objects(data / "esco" / f"{name}.jsonl.gz"):
            for other in concept["fr_alt"]:
                yield concept["fr"], other


def _broader_skills(data: Path) -> Pairs:
    for record in records(data / "esco" / "competences_generique_specifique.tsv.gz"):
        yield record["enfant_fr"], record["parent_fr"]


def _activity_details(data: Path) -> Pairs:
    """Pair NACEBEL statements with their sub-class, and with the NAF label of their NACE class."""
    classes = defaultdict(list)
    for record in records(data / "naf_nace" / "naf_rev2_fr_en.tsv.gz"):
        if record["niveau"] == "sous-classe":
            classes[record["nace"]].append(record["fr"])
    for record in records(data / "naf_nace" / "nacebel_fr.tsv.gz"):
        if record["niveau"] == "detail":
            yield record["fr"], record["parent_fr"]
        if record["version"] == "2008":
            yield from ((record["fr"], label) for label in classes[record["nace"]])


def _products(data: Path) -> Pairs:
    """Pair the head of a customs description and what qualifies it (inverse cloze task).

    After Lee, Chang and Toutanova (2019), "Latent Retrieval for Weakly Supervised Open Domain
    Question Answering", section 4.
    """
    for record in records(data / "nomenclature_combinee" / "nc2023_fr_en.tsv.gz"):
        head, _, rest = record["fr"].partition(", ")
        if len(rest.split()) > 1:
            yield head, rest


def _jobs(data: Path) -> Pairs:
    """Pair ROME job titles with the definition and the core know-how of their record."""
    for record in objects(data / "rome" / "fiches.jsonl.gz"):
        if record.get("rome3_definition"):
            yield record["definition"], record["rome3_definition"]
        yield from _job(record)


def _job(record: dict[str, Any]) -> Pairs:
    core = record["savoir_faire_coeur"]
    for rank, title in enumerate(record["appellations"]):
        yield title, record["definition"]
        if core:
            yield title, core[rank % len(core)]
    for skill in core:
        yield skill, record["libelle"]


def _job_groups(data: Path) -> Pairs:
    """Pair titles of the Canadian classification in trades and manufacturing, with their group."""
    for group in objects(data / "cnp2021" / "groupes.jsonl.gz"):
        if group["code"][0] in "279":
            yield from ((title, group["fr"]) for title in group["titres_fr"])


def _projects(data: Path) -> Pairs:
    for record in records(data / "ilab" / "projets.train.tsv.gz"):
        if len(record["accroche"]) >= 20 and len(record["resume"]) >= 150:
            yield record["accroche"], record["resume"]


def _definitions(data: Path) -> Pairs:
    for record in records(data / "franceterme" / "termes_2020_2025.tsv.gz"):
        yield record["terme"], record["definition"]


READERS: dict[str, Callable[[Path], Pairs]] = {
    "procurement-cpv": _need_to_code,
    "procurement-descripteurs": _need_to_descriptor,
    "cpv": _code_to_path,
    "esco": _skills,
    "esco-generique": _broader_skills,
    "naf-nacebel": _activity_details,
    "nomenclature_combinee": _products,
    "rome": _jobs,
    "cnp2021": _job_groups,
    "ilab": _projects,
    "franceterme": _definitions,
}
