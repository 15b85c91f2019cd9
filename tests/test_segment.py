"""What is found among many equals what the definition of a score gives, computed one and all."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from embed.encoder import Encoder
from embed.text import words
from eval.bench import recombined
from index import segment
from index.concepts import Concepts
from index.dense import fixed, floats
from index.departments import FACTS
from index.engine import SupplierIndex
from index.facets import Filters
from index.finding import EVERYBODY
from index.places import Near
from index.postings import largest
from index.segment import BONUS, SHOWN_FROM, Segment
from index.suppliers import Suggestion, Supplier

_NEEDS = """
tournage inox 316L petites séries | fraisage cinq axes aluminium | anodisation noire
coque en plastique pour une batterie | couture de sacs en toile enduite | broderie de polos
caisses en bois sur mesure | découpe laser tôle fine | soudage TIG de cuves inox
conserves de légumes à façon | mise en bocaux de confiture | torréfaction de café
carte électronique prototype | câblage d'armoires électriques | capteur de température
moule d'injection plastique | pièces en silicone | joints découpés au jet d'eau
impression sur carton | étiquettes adhésives en rouleau | coffrets cadeaux
bijoux en argent | cuir sellerie maroquinerie | chaussures orthopédiques
fonderie de bronze d'art | moulage sable fonte grise | forge à chaud
traitement thermique acier | zingage nickelage | peinture poudre
meubles de cuisine en chêne | escaliers métalliques | verre feuilleté
céramique technique | ressorts de compression | engrenages taillés
roulement qui grince à réparer | machine spéciale d'assemblage | maintenance de presses
impression 3D métal titane | prototypage rapide | rétroconception par scan
cosmétiques bio sous marque blanche | savons artisanaux | bougies parfumées
jouets en bois | drapeaux et banderoles | bâches pour camions
tricotage de pulls en laine | teinture de tissus | ennoblissement textile
contrôle dimensionnel tridimensionnel | banc d'essai hydraulique | flexibles haute pression
vannes pour l'eau potable | tuyauterie industrielle | charpente métallique
isolant en chanvre | mobilier urbain en béton | fenêtres sur mesure
"""
NEEDS = [need.strip() for line in _NEEDS.splitlines() for need in line.split("|") if need.strip()]
SHARES = {"moitié": 2, "dixième": 10, "centième": 100, "millième": 1_000}
DAY = 739_000

Scores = NDArray[np.float64]


def placed(suppliers: list[Supplier]) -> list[Supplier]:
    """Spread over the départements, one in seven nowhere; labels for known shares of them."""
    codes = cycle([*FACTS, *[None] * 16])
    return [
        replace(
            supplier,
            department=code,
            tags=tuple(tag for tag, share in SHARES.items() if place % share == 0),
        )
        for place, (supplier, code) in enumerate(zip(suppliers, codes, strict=False))
    ]


class Plain:
    """The definition of a score, over every row, without any index."""

    def __init__(self, suppliers: list[Supplier], encoder: Encoder) -> None:
        texts = [text for supplier in suppliers for text in supplier.capabilities]
        self.suppliers = suppliers
        self.encoder = encoder
        self.vectors = floats(fixed(encoder.encode_capabilities(texts)))
        self.concepts = Concepts.build(encoder)
        links = self.concepts.told(self.vectors)
        self.trades = np.zeros((len(texts), len(self.concepts.labels)), np.float32)
        np.put_along_axis(self.trades, links.places, links.weights.astype(np.float16), axis=1)
        self.texts = [words(text) for text in texts]
        self.lengths = np.array([len(found) for found in self.texts])
        self.told: dict[str, dict[int, int]] = {}
        for row, found in enumerate(self.texts):
            for word in found:
                for term in (word.stem, f"={word.strict}"):
                    rows = self.told.setdefault(term, {})
                    rows[row] = rows.get(row, 0) + 1
        self.each = len(suppliers[0].capabilities)  # all have as many

    def rows(self, need: str) -> Scores:
        """0.5 cosine + 0.3 BM25 share + 0.2 trades of every row."""
        vector = self.encoder.encode_needs([need])
        links = self.concepts.asked(vector)
        wanted = np.zeros(len(self.concepts.labels), np.float32)
        wanted[links.places[0]] = links.weights[0]
        cosines = np.clip(self.vectors @ vector[0], 0, 1)
        scores: Scores = 0.5 * cosines + 0.3 * self.bm25(need) + 0.2 * (self.trades @ wanted)
        return scores

    def bm25(self, need: str) -> Scores:
        """The stem weighs its rarity, the form a quarter of it; the share of what could be."""
        asked: dict[str, float] = {}
        count, mean = len(self.texts), self.lengths.mean()
        for word in words(need):
            held = len(self.told.get(word.stem, ()))
            rarity = float(np.log1p((count - held + 0.5) / (held + 0.5)))
            asked |= {word.stem: rarity, f"={word.strict}": rarity / 4}
        sums = np.zeros(count)
        for term, weight in asked.items():
            for row, times in self.told.get(term, {}).items():
                damped = 1.2 * (1 - 0.75 + 0.75 * self.lengths[row] / mean)
                sums[row] += weight * float(np.float16(times / (times + damped)))
        return sums / (sum(asked.values()) or 1)

    def scores(self, need: str) -> Scores:
        """Of every supplier: its best row, and a little of what else it can do that matches."""
        rows = self.rows(need).reshape(-1, self.each)
        sheets = self.vectors.reshape(len(rows), self.each, -1)
        lead = np.take_along_axis(sheets, rows.argmax(axis=1)[:, None, None], axis=1)[:, 0]
        news = np.clip(1 - np.einsum("sre,se->sr", sheets, lead), 0, 1)
        best = rows.max(axis=1, keepdims=True)
        further = (news * np.clip(2 * rows / np.maximum(best, 1e-6) - 1, 0, 1)).max(axis=1)
        further[further < SHOWN_FROM] = 0
        finals: Scores = 1 - (1 - best[:, 0]) * (1 - BONUS * further)
        return finals


def kilometres(supplier: Supplier, lat: float, lon: float) -> float:
    """By the haversine formula, on a sphere of 6,371 km."""
    if supplier.department is None:
        return float("inf")
    place = FACTS[supplier.department]
    here, there = np.radians([lat, lon]), np.radians([place.lat, place.lon])
    half = np.sin((there - here) / 2) ** 2
    chord = np.sqrt(half[0] + np.cos(here[0]) * np.cos(there[0]) * half[1])
    return float(2 * 6371 * np.arcsin(chord))


@pytest.fixture(scope="module")
def suppliers() -> list[Supplier]:
    return placed(recombined(15_000))


@pytest.fixture(scope="module")
def many(suppliers: list[Supplier], encoder: Encoder) -> Iterator[SupplierIndex]:
    built = SupplierIndex.build(suppliers, encoder)
    yield built
    built.close()


@pytest.fixture(scope="module")
def plain(suppliers: list[Supplier], encoder: Encoder) -> Plain:
    return Plain(suppliers, encoder)


@pytest.fixture(scope="module")
def expected(plain: Plain, many: SupplierIndex) -> dict[str, Scores]:
    return {need: plain.scores(many.reading(need).text) for need in NEEDS}


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have few rows compared one and all; tells how many were, each time."""
    counts: list[int] = []
    ranked = Segment._ranked

    def noted(self: Segment, *given: object) -> list[segment.Hit]:
        counts.append(len(given[2]))  # type: ignore[arg-type]
        return ranked(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(segment, "EXACT", 100)
    monkeypatch.setattr(Segment, "_ranked", noted)
    return counts


def share_found(
    found: list[Suggestion], keys: dict[str, float], scores: dict[str, float], k: int
) -> float:
    """The share of the k best by `keys` that is found; every pair must have its score, in order."""
    best = sorted(keys.values(), reverse=True)[:k]
    assert len(found) == len(best)
    assert [s.rank for s in found] == list(range(1, len(found) + 1))
    assert [s.score for s in found] == pytest.approx(
        [scores[s.supplier.id] for s in found], abs=1.5e-4
    )
    own = [keys[s.supplier.id] for s in found]
    assert all(one >= other - 3e-4 for one, other in pairwise(own))
    return sum(key >= best[-1] - 2e-4 for key in own) / len(best)


@pytest.mark.parametrize(("tag", "k"), [
    (None, 1), (None, 10), (None, 100), ("moitié", 10), ("dixième", 10),
    ("centième", 10), ("millième", 10),
])  # fmt: skip
def test_the_best_of_many_are_the_best_of_all(
    many: SupplierIndex,
    suppliers: list[Supplier],
    expected: dict[str, Scores],
    compared: list[int],
    tag: str | None,
    k: int,
) -> None:
    filters = Filters(tags=(tag,)) if tag else EVERYBODY
    shares = []
    for need in NEEDS:
        scores = {s.id: float(v) for s, v in zip(suppliers, expected[need], strict=True)}
        keys = {s.id: scores[s.id] for s in suppliers if not tag or tag in s.tags}
        shares.append(share_found(many.search(need, k, filters=filters), keys, scores, k))
    assert np.mean(shares) >= 0.999
    rows = 5 * len(suppliers) // SHARES.get(tag or "", 1)
    assert min(compared) < rows / 2 or rows <= 1_500  # all of the last three are compared


def near_keys(
    suppliers: list[Supplier], scores: dict[str, float], near: Near, proximity: float
) -> dict[str, float]:
    """The score times 1 - p + p × 2^(-km/150), of the suppliers within the radius."""
    assert near.lat is not None
    assert near.lon is not None
    km = {s.id: kilometres(s, near.lat, near.lon) for s in suppliers}
    return {
        one: scores[one] * (1 - proximity + proximity * 2 ** (-far / 150))
        for one, far in km.items()
        if near.max_km is None or far <= near.max_km
    }


@pytest.mark.parametrize(("proximity", "max_km"), [(0, None), (0.3, None), (1, None), (0.3, 120)])
def test_nearness_multiplies_the_score(
    many: SupplierIndex,
    suppliers: list[Supplier],
    expected: dict[str, Scores],
    compared: list[int],
    proximity: float,
    max_km: float | None,
) -> None:
    near = Near(lat=45.76, lon=4.83, max_km=max_km)
    shares = []
    for need in NEEDS[::2]:
        scores = {s.id: float(v) for s, v in zip(suppliers, expected[need], strict=True)}
        keys = near_keys(suppliers, scores, near, proximity)
        found = many.search(need, 10, near=near, proximity=proximity)
        shares.append(share_found(found, keys, scores, 10))
    assert np.mean(shares) >= 0.999
    assert min(compared) < 5_000


def test_a_wider_radius_gives_as_many_and_as_good(many: SupplierIndex, compared: list[int]) -> None:
    for need in NEEDS[:10]:
        wider = [
            [s.score for s in many.search(need, 10, near=Near(lat=47.2, lon=-1.55, max_km=km))]
            for km in (10, 50, 80, 120, 200, 500, 1_000, 20_000)
        ]
        for narrow, wide in pairwise(wider):
            assert len(narrow) <= len(wide)
            assert all(a <= b for a, b in zip(narrow, wide, strict=False))
    assert min(compared) < 5_000


def test_suppliers_taken_out_and_written_again_are_compared_with_the_others(
    many: SupplierIndex,
    suppliers: list[Supplier],
    expected: dict[str, Scores],
    compared: list[int],
) -> None:
    need = NEEDS[0]
    scores = {s.id: float(v) for s, v in zip(suppliers, expected[need], strict=True)}
    gone = [s.supplier for s in many.search(need, 20)]
    many.delete([supplier.id for supplier in gone])
    try:
        left = {s.id: scores[s.id] for s in suppliers if s not in gone}
        assert share_found(many.search(need, 10), left, scores, 10) == 1
    finally:
        many.upsert(gone)
    assert share_found(many.search(need, 30), scores, scores, 30) == 1
    assert min(compared) < 5_000


def test_a_filter_may_fit_only_what_is_far_from_the_need(
    encoder: Encoder, compared: list[int]
) -> None:
    bags = [Supplier(f"b{n}", "B", (f"Besaces et cabas en tissu n° {n}",)) for n in range(4_000)]
    others = [f"Vente de sacs de ciment n° {n}" for n in range(1_500)]
    others += ["Couturière : pochettes et trousses", "Bagagerie en tissu", "Couture"]
    far = [Supplier(f"f{n}", "F", (text,), tags=("loin",)) for n, text in enumerate(others)]
    index = SupplierIndex.build([*bags, *far], encoder)
    for need in ("sacs en tissu", "sacs cabas", "couture de sacs", "des sacs cousus"):
        exact = {s.supplier.id: s.score for s in index.rerank(need, far)}
        found = index.search(need, 3, filters=Filters(tags=("loin",)))
        assert share_found(found, exact, exact, 3) == 1
    assert min(compared) < 1_000


TURNED = "Tournage inox 316L de pièces de précision"
SHEETS = {
    "seul": (TURNED,),
    "répète": (TURNED, f"{TURNED} !", "tournage inox 316L de pièces de précision"),
    "autre": (TURNED, "Broderie de polos et casquettes"),
    "aussi": (TURNED, "Décolletage de vis et d'axes en laiton"),
}


def test_another_matching_capability_adds_a_little_and_a_repeated_one_nothing(
    encoder: Encoder,
) -> None:
    index = SupplierIndex.build([Supplier(n, n, texts) for n, texts in SHEETS.items()], encoder)
    need = "tournage de précision inox 316L et décolletage"
    found = {s.supplier.id: s for s in index.search(need)}
    alone = found["seul"].score
    assert alone < found["aussi"].score < alone + BONUS * (1 - alone)
    assert {found[name].score for name in ("seul", "répète", "autre")} == {alone}
    assert {name: s.also for name, s in found.items() if s.also} == {"aussi": SHEETS["aussi"][1:]}
    assert {s.capability for s in found.values()} == {TURNED}


def test_a_wide_segment_gives_the_same_scores(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = SupplierIndex.build([Supplier(n, n, texts) for n, texts in SHEETS.items()], encoder)
    need = "tournage inox 316L, broderie, vis en laiton"
    found = index.search(need, day=DAY)
    monkeypatch.setattr(segment, "WIDE", 1)
    assert index.search(need, day=DAY) == found


def test_a_score_is_the_same_in_search_and_rerank_and_at_most_1(encoder: Encoder) -> None:
    need = "tournage inox 316L de pièces de précision"
    given = [Supplier(n, n, texts) for n, texts in SHEETS.items()]
    given.append(Supplier("mot", "Mot", (need, *(f"{need} et {n} axes" for n in range(2, 30)))))
    index = SupplierIndex.build(given, encoder)
    for asked in (need, "vis en laiton", "broderie"):
        found = [(s.supplier.id, s.score, s.also) for s in index.search(asked)]
        assert [(s.supplier.id, s.score, s.also) for s in index.rerank(asked, given)] == found
        assert [(s.supplier.id, s.score, s.also) for s in index.rerank(asked)] == found
        assert all(0 <= score <= 1 for _, score, _ in found)


def test_equal_suppliers_take_turns_by_the_day(encoder: Encoder) -> None:
    equal = [Supplier(name, name, ("Forge libre",)) for name in ("un", "deux", "trois")]
    index = SupplierIndex.build([*equal, Supplier("x", "X", ("Couture",))], encoder)
    first = {"un": 0, "deux": 0, "trois": 0}
    for day in range(DAY, DAY + 300):
        order = [s.supplier.id for s in index.search("forge", day=day)]
        if day % 30 == 0:
            assert [s.supplier.id for s in index.search("forge", 1, day=day)] == order[:1]
            assert [s.supplier.id for s in index.rerank("forge", equal, day=day)] == order[:3]
        assert order[3] == "x"
        first[order[0]] += 1
    assert all(70 < times < 130 for times in first.values())
    today = [s.supplier.id for s in index.search("forge")]
    assert all([s.supplier.id for s in index.search("forge")] == today for _ in range(5))


def test_a_segment_that_is_saved_finds_the_same(tmp_path: Path, many: SupplierIndex) -> None:
    built = many._living.current().segments[0]
    built.save(tmp_path)
    again = Segment.open(tmp_path)
    query = many.reading(NEEDS[0]).query
    one, other = (each.best(query, 20, None, None, DAY) for each in (again, built))
    assert [hit[:-1] for hit in one] == [hit[:-1] for hit in other]
    assert np.array_equal([hit.vector for hit in one], [hit.vector for hit in other])
    assert (len(again), again.rows) == (3_000, 15_000)


@pytest.mark.parametrize("count", [1, 2, 10, 500, 30_000])
@pytest.mark.parametrize("size", [1, 3, 1_000, 90_000])
def test_the_largest_are_those_of_a_whole_sort(size: int, count: int) -> None:
    draw = np.random.default_rng(size + count)
    random = draw.permutation(np.arange(1, size + 1)).astype(np.float32)
    assert set(largest(random, count)) == set(np.argsort(-random)[:count])
    sparse = np.where(draw.random(size) < 0.01, random, 0).astype(np.float32)
    most = np.argsort(-sparse, kind="stable")[:count]
    assert set(largest(sparse, count)) == {place for place in most if sparse[place] > 0}
    tied = (random % 3).astype(np.float32)
    kept = largest(tied, count)
    assert sorted(tied[kept]) == [v for v in sorted(sorted(tied)[-count:]) if v > 0]


def test_the_largest_of_equal_values_are_as_many_as_asked() -> None:
    assert len(set(largest(np.full(50_000, 0.5, np.float32), 700))) == 700
    assert largest(np.zeros(50_000, np.float32), 700).tolist() == []
