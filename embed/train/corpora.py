"""The French-English pairs the student is distilled on, drawn source by source.

Three quarters of the parallel text held is law or software: `SHARES` weighs the sources so
that everyday sentences and industrial labels come first.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from embed.train.reading import key, objects, records, rows

SHARES = {
    "tatoeba": 0.55,
    "tico19-sante": 0.015,
    "d365-business-central": 0.07,
    "d365-operations": 0.07,
    "d365-titres": 0.02,
    "ocds": 0.007,
    "eforms-cpv": 0.04,
    "esco": 0.06,
    "osm-presets": 0.004,
    "python-docs": 0.015,
    "django-docs": 0.015,
    "php-manual": 0.01,
    "httpd-manual": 0.01,
    "justice-termes": 0.015,
    "justice-lois": 0.02,
    "justice-reglements": 0.05,
    "termes-courts": 0.03,
    "nomenclature_combinee": 0.05,
    "esco-descriptions": 0.06,
    "activites": 0.012,
    "franceterme": 0.006,
}
"""Share of each source in the sample; a source smaller than its share is taken whole."""


class Parallel(NamedTuple):
    """French texts and their English counterparts, of one source, in the order drawn."""

    source: str
    fr: list[str]
    en: list[str]


def parallel(data: Path, pairs: int, seed: int) -> list[Parallel]:
    """Draw about `pairs` French-English pairs, by source, without any sentence of STSb.

    The first n pairs of a source stay the same when its share grows: cached vectors stay good.
    Raises OSError if a file of the data folder is missing.
    """
    barred = stsb_keys(data)
    return [
        _draw(source, _clean(data, source, barred), round(pairs * share), seed)
        for source, share in SHARES.items()
    ]


def stsb_keys(data: Path) -> set[str]:
    """Give the keys of every sentence of STSb, in both languages: none may be trained on."""
    folder = data / "eval-public" / "stsb-fr"
    columns = ("phrase1_fr", "phrase2_fr", "phrase1_en", "phrase2_en")
    return {
        key(record[column])
        for path in sorted(folder.glob("*.tsv.gz"))
        for record in records(path)
        for column in columns
    }


def _clean(data: Path, source: str, barred: set[str]) -> list[tuple[str, str]]:
    """Read the distinct pairs of a source, those of `barred` left out."""
    found = dict.fromkeys(READERS.get(source, _aligned)(data, source))
    return [pair for pair in found if not barred.intersection(map(key, pair))]


def _draw(source: str, found: list[tuple[str, str]], count: int, seed: int) -> Parallel:
    order = np.random.default_rng(seed).permutation(len(found))[:count]
    fr, en = zip(*(found[row] for row in order), strict=True)
    return Parallel(source, list(fr), list(en))


def _aligned(data: Path, source: str) -> Iterator[tuple[str, str]]:
    for fr, en, *_ in rows(data / "parallel-fr-en" / f"{source}.tsv.gz"):
        yield fr, en


def _short_terms(data: Path, source: str) -> Iterator[tuple[str, str]]:
    return _aligned(data, f"{source}/termes-courts-fr-en")


def _combined_nomenclature(data: Path, source: str) -> Iterator[tuple[str, str]]:
    for record in records(data / source / "nc2023_fr_en.tsv.gz"):
        yield record["fr"], record["en"]


def _esco_descriptions(data: Path, source: str) -> Iterator[tuple[str, str]]:
    """Read French labels with the English label and description of the concept."""
    folder = data / source.partition("-")[0]
    for name in ("metiers", "competences"):
        for concept in objects(folder / f"{name}.jsonl.gz"):
            if concept["en_desc"]:
                yield concept["fr"], f"{concept['en']}: {concept['en_desc']}"


def _activities(data: Path, _source: str) -> Iterator[tuple[str, str]]:
    folder = data / "naf_nace"
    for record in records(folder / "naf_rev2_fr_en.tsv.gz"):
        if record["en_exact"] == "1":
            yield record["fr"], record["en"]
    for record in records(folder / "noga2008_fr_en.tsv.gz"):
        yield record["fr"], record["en"]


def _official_terms(data: Path, source: str) -> Iterator[tuple[str, str]]:
    for record in records(data / source / "termes_2020_2025.tsv.gz"):
        if record["en"]:
            yield record["terme"], record["en"]


READERS: dict[str, Callable[[Path, str], Iterator[tuple[str, str]]]] = {
    "termes-courts": _short_terms,
    "nomenclature_combinee": _combined_nomenclature,
    "esco-descriptions": _esco_descriptions,
    "activites": _activities,
    "franceterme": _official_terms,
}
