"""The index of a directory: build, save, open, search, rerank."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embed.encoder import Encoder, Vectors
from embed.errors import MaillonError
from embed.text import clean
from index import folder as files
from index.dense import Dense
from index.lexical import Lexical
from index.ranking import Scores, cosines, fuse, highlights
from index.suppliers import Highlight, Suggestion, Supplier

MAX_NEED = 5_000
MAX_K = 1_000

MAX_EXPLAINED = 100

_BATCH = 1_024
_STEP = 1e-4  # scores are given to four decimals, and equal ones ranked by id
_PROBE = "usinage de pièces mécaniques en petite série"

Track = Callable[[Sequence[list[str]]], Iterable[list[str]]]
"""Wraps the batches of a long encoding, to show how far it is."""


class NeedError(MaillonError):
    """A need that cannot be searched, or a number of suggestions that cannot be given."""


def check_need(text: str) -> str:
    """The clean text of a need; raises `NeedError` where it is empty, too long or wordless."""
    need = clean(text[: MAX_NEED * 4])
    if len(text) > MAX_NEED * 4 or len(need) > MAX_NEED:
        raise NeedError(
            f"the need has {len(text):,} characters, at most {MAX_NEED:,} are read. Shorten it."
        )
    if not any(c.isalnum() for c in need):
        raise NeedError("the need holds no word. Say in a few words what is to be made or done.")
    return need


def check_k(k: int) -> int:
    """The number of suggestions asked for; raises `NeedError` outside 1 to 1,000."""
    if not 1 <= k <= MAX_K:
        raise NeedError(f"k is {k}. Ask for 1 to {MAX_K:,} suggestions.")
    return k


class SupplierIndex:
    """Suppliers, the vectors and words of their capabilities, and the encoder of needs."""

    def __init__(
        self, suppliers: Sequence[Supplier], encoder: Encoder, dense: Dense, lexical: Lexical
    ) -> None:
        self.suppliers = suppliers
        self.encoder = encoder
        self._dense = dense
        self._lexical = lexical
        self._capabilities = _capabilities(suppliers)
        counts = [len(supplier.capabilities) for supplier in suppliers]
        self._owner = np.repeat(np.arange(len(suppliers)), counts)

    def __len__(self) -> int:
        """The number of suppliers."""
        return len(self.suppliers)

    @classmethod
    def build(
        cls, suppliers: Sequence[Supplier], encoder: Encoder, track: Track = iter
    ) -> "SupplierIndex":
        """Index suppliers; `track` may wrap the batches that are encoded, to show progress.

        Raises `MaillonError` where there is no supplier or an id stands twice.
        """
        if not suppliers:
            raise MaillonError("no supplier to index. Give a file with at least one valid line.")
        _check_ids(suppliers)
        texts = _capabilities(suppliers)
        batches = [texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH)]
        vectors = np.concatenate([encoder.encode_capabilities(batch) for batch in track(batches)])
        return cls(suppliers, encoder, Dense.build(vectors), Lexical.build(texts))

    def save(self, folder: Path) -> None:
        """Write the index folder aside, then in place of the one that may stand there."""
        files.write(
            folder,
            self._fill,
            encoder=self.encoder.name,
            dim=self.encoder.dim,
            suppliers=len(self),
            capabilities=len(self._capabilities),
            probe=[round(float(x), 4) for x in _probe(self.encoder)],
        )

    @classmethod
    def open(cls, folder: Path, encoder: Encoder) -> "SupplierIndex":
        """Read an index folder.

        Raises `IndexFolderError` where it is missing, damaged, or built with another encoder.
        """
        manifest = files.read_manifest(folder)
        _check_encoder(folder, manifest, encoder)
        files.check_files(folder, manifest)
        lines = (folder / files.SUPPLIERS).read_text(encoding="utf-8").splitlines()
        suppliers = [_supplier(json.loads(line)) for line in lines]
        dense = Dense.load(folder / files.DENSE)
        return cls(suppliers, encoder, dense, Lexical.load(folder / files.LEXICAL))

    def search(self, need: str, k: int = 10, *, explain: bool = False) -> list[Suggestion]:
        """The `k` best suppliers, or all of them where there are fewer; best first.

        With `explain`, each of the first 100 says which words of its capability weighed. Raises
        `NeedError` for a need without words or too long, or `k` outside 1 to 1,000.
        """
        need, vector = self._read(need)
        rows, scores = self._best_rows(need, vector, min(check_k(k), len(self)))
        return self._suggest(need, vector, self._pairs(rows), scores, explain)

    def rerank(
        self, need: str, suppliers: Sequence[Supplier] | None = None, *, explain: bool = False
    ) -> list[Suggestion]:
        """All the given suppliers (by default the whole index), best first.

        They need not be in the index: its statistics weigh their words, so that a pair has the
        score that `search` gives it. Raises `NeedError` as `search` does.
        """
        need, vector = self._read(need)
        if suppliers is None:
            rows, scores = self._best_rows(need, vector, len(self))
            return self._suggest(need, vector, self._pairs(rows), scores, explain)
        pairs = [(supplier, text) for supplier in suppliers for text in supplier.capabilities]
        scores = self._score(need, vector, [text for _, text in pairs])
        owner = np.repeat(np.arange(len(suppliers)), [len(s.capabilities) for s in suppliers])
        best = _best_by_owner(scores, owner, [supplier.id for supplier, _ in pairs])
        return self._suggest(need, vector, [pairs[row] for row in best], scores[best], explain)

    def _fill(self, folder: Path) -> None:
        lines = "\n".join(files.as_json_line(supplier) for supplier in self.suppliers)
        (folder / files.SUPPLIERS).write_text(lines + "\n", encoding="utf-8")
        self._dense.save(folder / files.DENSE)
        self._lexical.save(folder / files.LEXICAL)

    def _read(self, text: str) -> tuple[str, Vectors]:
        need = check_need(text)
        return need, self.encoder.encode_needs([need])[0]

    def _score(self, need: str, vector: Vectors, texts: list[str]) -> Scores:
        if not texts:
            return np.zeros(0, np.float32)
        near = cosines(self.encoder.encode_capabilities(texts), vector)
        return fuse(near, self._lexical.shares_of(need, texts))

    def _best_rows(self, need: str, vector: Vectors, k: int) -> tuple[list[int], Scores]:
        """The best row of each of the `k` best suppliers, and its score.

        Candidates are taken ever deeper from both rankings until no row outside them could still
        enter (the threshold algorithm: Fagin, Lotem & Naor 2003, section 4).
        """
        shares = self._lexical.shares(need)
        depth = 10 * k + 100
        while True:
            rows, bound = self._candidates(vector, shares, depth)
            scores = fuse(cosines(self._dense.vectors[rows], vector), shares[rows])
            ids = [self.suppliers[owner].id for owner in self._owner[rows]]
            best = _best_by_owner(scores, self._owner[rows], ids)[:k]
            complete = depth >= len(self._capabilities)
            if complete or (len(best) == k and scores[best[-1]] > bound + _STEP):
                return rows[best].tolist(), scores[best]
            depth *= 4

    def _candidates(
        self, vector: Vectors, shares: Scores, depth: int
    ) -> tuple[NDArray[np.int64], float]:
        near = self._dense.search(vector, depth)
        if depth >= len(shares):
            return np.sort(near), 0.0
        shared = np.argpartition(-shares, depth)[:depth]
        bound = fuse(cosines(self._dense.vectors[near[-1:]], vector), shares[shared].min())
        return np.union1d(near, shared), float(bound[0])

    def _pairs(self, rows: Sequence[int]) -> list[tuple[Supplier, str]]:
        return [(self.suppliers[self._owner[row]], self._capabilities[row]) for row in rows]

    def _suggest(
        self,
        need: str,
        vector: Vectors,
        pairs: Sequence[tuple[Supplier, str]],
        scores: Scores,
        explain: bool,
    ) -> list[Suggestion]:
        shown: list[tuple[Highlight, ...]] = [()] * len(pairs)
        if explain and pairs:
            texts = [capability for _, capability in pairs[:MAX_EXPLAINED]]
            explained = highlights(need, vector, texts, self.encoder, self._lexical)
            shown[: len(explained)] = explained
        return [
            Suggestion(rank, round(float(score), 4), supplier, capability, marks)
            for rank, ((supplier, capability), score, marks) in enumerate(
                zip(pairs, scores, shown, strict=True), start=1
            )
        ]


def _best_by_owner(
    scores: Scores, owner: NDArray[np.int64], ids: Sequence[str]
) -> NDArray[np.int64]:
    """Places of each owner's best score, best owner first; equals in the order of their ids."""
    order = np.lexsort((np.arange(len(scores)), np.array(ids), -scores.round(4)))
    _, first = np.unique(owner[order], return_index=True)
    return order[np.sort(first)]


def _capabilities(suppliers: Sequence[Supplier]) -> list[str]:
    return [text for supplier in suppliers for text in supplier.capabilities]


def _check_ids(suppliers: Sequence[Supplier]) -> None:
    seen: set[str] = set()
    for supplier in suppliers:
        if supplier.id in seen:
            raise MaillonError(
                f"supplier id {supplier.id!r} stands twice (the second: {supplier.name}). "
                "Give each supplier its own id."
            )
        seen.add(supplier.id)


def _probe(encoder: Encoder) -> Vectors:
    probe: Vectors = encoder.encode_capabilities([_PROBE])[0]
    return probe


def _check_encoder(folder: Path, manifest: files.Manifest, encoder: Encoder) -> None:
    if (manifest.encoder, manifest.dim) != (encoder.name, encoder.dim):
        raise files.IndexFolderError(
            f"{folder} was built with encoder {manifest.encoder!r} ({manifest.dim} dimensions), "
            f"the encoder loaded is {encoder.name!r} ({encoder.dim}). Open it with "
            f"--encoder {manifest.encoder}, or rebuild it: maillon index … --to {folder}"
        )
    if float(_probe(encoder) @ np.array(manifest.probe, np.float32)) < 0.99:
        raise files.IndexFolderError(
            f"{folder} was built with other weights of encoder {manifest.encoder!r}. "
            f"Rebuild it: maillon index suppliers.csv --to {folder}"
        )


def _supplier(record: dict[str, object]) -> Supplier:
    for field in ("capabilities", "certifications", "series"):
        record[field] = tuple(record[field])  # type: ignore[arg-type]
    return Supplier(**record)  # type: ignore[arg-type]
