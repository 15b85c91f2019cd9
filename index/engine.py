"""The index of a directory: open, upsert, delete, search, rerank."""

from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from embed.encoder import Encoder
from embed.errors import MaillonError
from index.catalogue import FILE, MEMORY, NEW, Catalogue, CatalogueError, Changes
from index.completion import Completion
from index.facets import Counted, Filters, fits
from index.finding import (
    EVERYBODY,
    Where,
    count_values,
    depth,
    factors_in,
    find,
    find_each,
    put_later,
    today,
)
from index.gazetteer import load_places
from index.living import Living, Track, View
from index.needs import Answered, Need
from index.places import Near, PlaceError, Spot
from index.ranking import HYBRID, Mix
from index.reading import MAX_NEED, NeedError, Reading, check_need
from index.segment import Segment
from index.suppliers import Suggestion, Supplier
from index.telling import Teller
from index.understanding import Understood, understood

MAX_K = 1_000

SUITABLE = 0.5
"""A supplier suits a need that has this confidence or more: likelier than not."""

MAX_LOCAL = 100
"""Local suppliers that are counted, at most."""

_TRIES = 3
"""A supplier that was found may be replaced before it is fetched: then it is looked up again."""


class SupplierIndex:
    """Suppliers of one directory, searched by free-text needs; threads may share it.

    The catalogue is the truth; a generation on the disk and a delta in memory are made from it.
    Other processes may write to the same folder: a search sees what they have acknowledged.
    """

    def __init__(
        self,
        folder: Path | None,
        catalogue: Catalogue,
        encoder: Encoder,
        mix: Mix = HYBRID,
        calibrated: bool = True,
    ) -> None:
        self.folder = folder
        self.catalogue = catalogue
        self._living = Living(folder, catalogue, encoder, mix)
        self._told = Teller(self._living, calibrated and mix == HYBRID)

    @property
    def encoder(self) -> Encoder:
        """The encoder of needs and capabilities."""
        return self._living.encoder

    @classmethod
    def build(
        cls,
        suppliers: Sequence[Supplier],
        encoder: Encoder,
        track: Track = iter,
        mix: Mix = HYBRID,
        calibrated: bool = True,
    ) -> "SupplierIndex":
        """Index suppliers in memory; `track` may wrap the batches that are encoded.

        `mix` weighs the three signals of a score. Suggestions have a confidence where the index is
        `calibrated` and its encoder ships one. Raises `MaillonError` where there is no supplier or
        an id stands twice.
        """
        if not suppliers:
            raise MaillonError("no supplier to index. Give a file with at least one valid line.")
        _check_ids(suppliers)
        index = cls(None, Catalogue.create(MEMORY), encoder, mix, calibrated)
        index.upsert(suppliers, track)
        return index

    @classmethod
    def create(cls, folder: Path, encoder: Encoder) -> "SupplierIndex":
        """Make an empty index folder; raises `CatalogueError` where a folder holds anything."""
        if folder.exists() and (not folder.is_dir() or _holds_anything(folder)):
            raise CatalogueError(
                f"{folder} exists and is no maillon index: it is left as it is. Choose another "
                "folder."
            )
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder, Catalogue.create(folder / FILE), encoder)

    @classmethod
    def open(cls, folder: Path, encoder: Encoder) -> "SupplierIndex":
        """Open an index folder; a damaged generation is made again from the catalogue.

        Raises `CatalogueError` where the catalogue is missing, damaged, or of another encoder.
        """
        catalogue = Catalogue.open(existing(folder))
        name = catalogue.setting("encoder")
        if name not in (None, encoder.name):
            raise CatalogueError(
                f"{folder} was made with encoder {name!r}, the one loaded is {encoder.name!r}. "
                f"Open it with --encoder {name}, or switch it: maillon reindex --index {folder} "
                f"--encoder {encoder.name}"
            )
        return cls(folder, catalogue, encoder)

    def close(self) -> None:
        """Wait for a generation that is being written, and close the catalogue."""
        self._living.close()

    def __len__(self) -> int:
        """The number of suppliers."""
        return len(self.catalogue)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What is searched: the generation, then what changed since, where there are any."""
        return self._living.current().segments

    @property
    def suppliers(self) -> list[Supplier]:
        """All suppliers, in the order in which they were last written."""
        return list(self.catalogue.suppliers())

    def upsert(self, suppliers: Sequence[Supplier], track: Track = iter) -> Changes:
        """Write suppliers, all or none: durable when it returns, and found by the next search.

        The same id replaces. Only capabilities that were never seen are encoded, in batches that
        `track` may wrap. Raises `MaillonError` where an id stands twice.
        """
        _check_ids(suppliers)
        return self._living.write(suppliers, track)

    def delete(self, ids: Sequence[str]) -> Changes:
        """Take suppliers out: durable when it returns, and no longer found. Unknown ids pass."""
        return self._living.delete(ids)

    def keep_only(self, suppliers: Sequence[Supplier]) -> Changes:
        """Take out all other suppliers: durable when it returns."""
        return self.delete(sorted(self.catalogue.ids() - {one.id for one in suppliers}))

    def learn_places(self, file: Path) -> int:
        """Load a table of communes and place the suppliers by it; gives how many there are.

        Raises `MaillonError` where the file is no such table.
        """
        count = load_places(self.catalogue, file)
        self._living.relocate()
        return count

    def search(
        self,
        need: str,
        k: int = 10,
        *,
        filters: Filters = EVERYBODY,
        near: Near | None = None,
        proximity: float = 0.0,
        explain: bool = False,
        day: int | None = None,
    ) -> list[Suggestion]:
        """The `k` best suppliers that fit the filters, or all where there are fewer; best first.

        A supplier ranks by its score times what its nearness is worth (`index.places.worth`): 0
        ignores it. A capability that names what the need rules out counts a fifth less. Suppliers
        of one score take turns by the `day`, today by default. With `explain`, each of the first
        100 says which words of its capability weighed, and by which trades it answers. Raises
        `NeedError` for a need without words or too long, `k` outside 1 to 1,000 or `proximity`
        outside 0 to 1; `PlaceError` for a place that is not known.
        """
        where = self._where(near, proximity)
        for _ in range(_TRIES):
            view = self._living.current()
            asked = view.reader.read(need)
            hits = find(view, asked, depth(check_k(k), asked), filters, where, day)
            found = self.catalogue.fetch([hit.seq for hit in hits])
            if len(found) == len(hits):
                break
        fitting = [pair for pair in put_later(hits, found, asked) if fits(pair[0], filters)][:k]
        return self._told.suggestions(view, need, asked, fitting, where, explain)

    def rerank(
        self,
        need: str,
        suppliers: Sequence[Supplier] | None = None,
        *,
        near: Near | None = None,
        proximity: float = 0.0,
        explain: bool = False,
        day: int | None = None,
    ) -> list[Suggestion]:
        """All the given suppliers (by default the whole index), best first.

        They need not be in the index: its statistics weigh their words, so that a pair has the
        score that `search` gives it. Raises as `search` does.
        """
        where = self._where(near, proximity)
        view = self._living.current()
        asked = view.reader.read(need)
        if suppliers is None:
            found = self.catalogue.fetch([int(seq) for one in view.segments for seq in one.seqs])
            hits = find(view, asked, max(len(found), 1), EVERYBODY, where, day)
            pairs = put_later(hits, found, asked)
            return self._told.suggestions(view, need, asked, pairs, where, explain)
        if not suppliers:
            return []
        given = self._living.segment(suppliers)
        factors = factors_in(given, where)
        hits = given.best(asked.query, len(suppliers), None, factors, today(day))
        pairs = put_later(hits, dict(enumerate(suppliers)), asked)
        return self._told.suggestions(view, need, asked, pairs, where, explain)

    def answer(
        self, needs: Sequence[Need], k: int | None = None, local_km: float = 100
    ) -> list[Answered]:
        """The `k` best suppliers for each need (by default all), scored as `rerank` scores them.

        Needs are read and compared together, which takes far less time than one after the other:
        give some hundreds. Of a need's own suppliers, those that are not in the index are passed
        over. Local ones are counted up to `local_km` around a need's place, 100 of them at most.
        Raises `NeedError` for a need without words or too long.
        """
        view = self._living.current()
        asked = view.reader.read_each(need.text for need in needs)
        most = k or max(len(self), 1)
        depths = [depth(most, one) for one in asked]
        each = find_each(view, asked, needs, max(depths, default=most), [None] * len(needs))
        best = [hits[:deep] for hits, deep in zip(each, depths, strict=True)]
        found = self.catalogue.fetch(list({hit.seq for hits in best for hit in hits}))
        answers = []
        for need, reading, hits, local in zip(
            needs, asked, best, self._local(view, asked, needs, local_km), strict=True
        ):
            pairs = put_later(hits, found, reading)[:most]
            suggestions = self._told.suggestions(view, need.text, reading, pairs, None, False)
            gap = self._told.gap(reading, suggestions)
            answers.append(Answered(need, suggestions, gap, 0 if gap and local else local))
        return answers

    def first_known(self, places: Sequence[Near]) -> Spot | None:
        """Where the first is of some places that is known."""
        for near in places:
            with suppress(PlaceError):
                return near.find(self._living.places)
        return None

    def complete(self, beginning: str, k: int = 8) -> list[Completion]:
        """What a need that is being typed may become: at most `k` trades and capabilities.

        Capabilities written since the last generation take part from the next one on.
        """
        return self._living.current().completions.complete(beginning, k)

    def similar(self, supplier: Supplier, k: int = 10) -> list[Suggestion]:
        """The `k` suppliers that answer best to what a supplier can do, itself apart."""
        need = " ; ".join(supplier.capabilities)[:MAX_NEED]
        found = self.search(need, min(k + 1, MAX_K))
        others = [one for one in found if one.supplier.id != supplier.id][:k]
        return [replace(one, rank=rank) for rank, one in enumerate(others, start=1)]

    def facets(self, filters: Filters = EVERYBODY, near: Near | None = None) -> Counted:
        """How many suppliers that fit have each value of each field, most first.

        A field of which one value must fit counts what another choice would give: those that fit
        all other fields.
        """
        counted = self._counted(filters, near)
        for name, others in filters.open():
            counted[name] = self._counted(others, near)[name]
        return counted

    def reading(self, need: str) -> Reading:
        """How a need is understood before any supplier is looked at; raises `NeedError`."""
        return self._living.current().reader.read(need)

    def readings(self, needs: Iterable[str]) -> list[Reading]:
        """`reading` for each of several needs, together."""
        return self._living.current().reader.read_each(needs)

    def understand(
        self,
        need: str,
        filters: Filters = EVERYBODY,
        near: Near | None = None,
        proximity: float | None = None,
        ignored: Sequence[str] = (),
    ) -> Understood:
        """A need with the places that its text names made filters; raises `NeedError`."""
        wishes = self._living.current().reader.wishes(need)
        return understood(check_need(need), wishes, filters, near, proximity, ignored)

    def nobody_fits(self, need: str, suggestions: Sequence[Suggestion]) -> bool:
        """Whether it is likely that none of the suggestions suits the need.

        Raises `NeedError` as `search` does.
        """
        return self._told.gap(self.reading(need), suggestions)

    def _local(
        self, view: View, asked: Sequence[Reading], needs: Sequence[Need], km: float
    ) -> list[int | None]:
        """How many suppliers near each need suit it; None where that cannot be known."""
        counts: list[int | None] = [None] * len(needs)
        if self._told.calibration() is None:
            return counts
        spots = [self.first_known(need.near) for need in needs]
        placed = [at for at, spot in enumerate(spots) if spot]
        ours = [asked[at] for at in placed], [needs[at] for at in placed]
        wheres = [Where(spot, km, 0.0) for spot in spots if spot]
        for at, hits in zip(placed, find_each(view, *ours, MAX_LOCAL, wheres), strict=True):
            if asked[at].ruled_out:
                held = self.catalogue.fetch([hit.seq for hit in hits])
                hits = [hit for _, hit in put_later(hits, held, asked[at])]
            sure = self._told.confidences(asked[at], [hit.score for hit in hits])
            counts[at] = sum(p >= SUITABLE for p in sure if p is not None)
        return counts

    def _counted(self, filters: Filters, near: Near | None) -> Counted:
        return count_values(self._living.current(), filters, self._where(near, 0.0))

    def _where(self, near: Near | None, proximity: float) -> Where | None:
        if not 0 <= proximity <= 1:
            raise NeedError(f"proximity is {proximity}. Give 0 (ignore it) to 1.")
        return Where(near.find(self._living.places), near.max_km, proximity) if near else None


def encoder_of(folder: Path) -> str | None:
    """The name of the encoder of an index folder; raises `CatalogueError` where there is none."""
    with closing(Catalogue.open(existing(folder))) as catalogue:
        name: str | None = catalogue.setting("encoder")
        return name


def _holds_anything(folder: Path) -> bool:
    return any(file.name != FILE + NEW for file in folder.iterdir())


def existing(folder: Path) -> Path:
    """The catalogue of an index folder; raises `CatalogueError` where there is none."""
    if not (folder / FILE).is_file():
        raise CatalogueError(
            f"{folder} holds no index ({FILE} not found). Make one: "
            f"maillon index suppliers.csv --to {folder}"
        )
    return folder / FILE


def check_k(k: int) -> int:
    """The number of suggestions asked for; raises `NeedError` outside 1 to 1,000."""
    if not 1 <= k <= MAX_K:
        raise NeedError(f"k is {k}. Ask for 1 to {MAX_K:,} suggestions.")
    return k


def _check_ids(suppliers: Iterable[Supplier]) -> None:
    seen: set[str] = set()
    for supplier in suppliers:
        if supplier.id in seen:
            raise MaillonError(
                f"supplier id {supplier.id!r} stands twice (the second: {supplier.name}). "
                "Give each supplier its own id."
            )
        seen.add(supplier.id)
