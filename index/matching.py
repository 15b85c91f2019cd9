"""Every need of a file against its suppliers: in lots, resumed where it was stopped."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter

from embed.errors import MaillonError
from index.catalogue import probe
from index.engine import SupplierIndex
from index.needs import Answered, Need
from index.places import PlaceError
from index.understanding import near_to

LOT = 256
"""Needs that are answered at once, at most."""

_PAIRS = 50_000
"""Suggestions that a lot may give, so that memory is bounded: longer lists make smaller lots."""

_ANSWERS = TypeAdapter(list[Answered])


def prepared(index: SupplierIndex, needs: Sequence[Need], near: str | None) -> list[Need]:
    """The needs with their own suppliers by id, and near to a place where they give none.

    Raises `PlaceError` where that place is not known, `MaillonError` naming the need where one of
    its suppliers, given by id or by name, is not in the index.
    """
    around = (near_to(near),) if near else ()
    if near and not index.first_known(around):
        raise PlaceError(
            f"lieu inconnu : « {near[:60]} ». Donnez un département, un code postal ou une ville."
        )
    return [replace(need, near=need.near or around) for need in _listed(index, needs)]


def unknown_places(index: SupplierIndex, needs: Sequence[Need]) -> list[str]:
    """The places of needs that are not known, each once."""
    unknown = [need.near[0] for need in needs if need.near and not index.first_known(need.near)]
    return list(dict.fromkeys(str(near.city or near.department) for near in unknown))


def _listed(index: SupplierIndex, needs: Sequence[Need]) -> Sequence[Need]:
    if not any(need.suppliers for need in needs):
        return needs
    known = {supplier.name: supplier.id for supplier in index.suppliers}
    known |= {one: one for one in index.catalogue.ids()}
    for need in needs:
        if unknown := [name for name in need.suppliers if name not in known]:
            raise MaillonError(
                f"besoin {need.id} : fournisseur « {unknown[0]} » absent de l'annuaire. Donnez "
                "son identifiant ou son nom, tel qu'il y est écrit."
            )
    return [
        replace(need, suppliers=tuple(known[name] for name in need.suppliers)) for need in needs
    ]


def in_lots(needs: Sequence[Need], each: int) -> list[Sequence[Need]]:
    """The needs in lots that memory bears, where each is given so many suggestions."""
    size = max(min(LOT, _PAIRS // max(each, 1)), 1)
    return [needs[start : start + size] for start in range(0, len(needs), size)]


def work(index: SupplierIndex, files: Iterable[Path], *settings: object) -> str:
    """A digest of all that answers depend on: files, directory, encoder, settings."""
    seen = blake2b(digest_size=16)
    for file in files:
        seen.update(file.read_bytes())
    catalogue, encoder = index.catalogue, index.encoder
    state = catalogue.moment(), catalogue.setting("generation"), encoder.name, LOT
    seen.update(repr((state, settings)).encode())
    seen.update(probe(encoder).tobytes())
    return seen.hexdigest()


def resumed(
    kept: Path,
    of: str,
    lots: Iterable[Sequence[Need]],
    answer: Callable[[Sequence[Need]], list[Answered]],
) -> Iterator[Answered]:
    """The answers to all lots; those that `kept` holds of the same `work` are not sought again.

    It holds a line a lot, after one that says of which work they are. Whoever has used all
    answers takes the file away.
    """
    with _opened(kept, of.encode() + b"\n") as file:
        for lot in lots:
            line = file.readline()
            if line.endswith(b"\n"):
                yield from _ANSWERS.validate_json(line)
                continue
            file.seek(-len(line), 1)  # over what was being written of a lot
            file.truncate()
            answers = answer(lot)
            file.write(_ANSWERS.dump_json(answers) + b"\n")
            file.flush()
            yield from answers


@contextmanager
def _opened(path: Path, head: bytes) -> Iterator[BinaryIO]:
    """A file to be read and written from its second line on; emptied where its first is another."""
    path.touch()
    with path.open("r+b") as file:
        if file.readline() != head:
            file.seek(0)
            file.truncate()
            file.write(head)
        yield file
