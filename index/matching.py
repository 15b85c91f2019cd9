"""Every need of a file against its suppliers."""

from collections.abc import Iterable, Iterator

from embed.errors import MaillonError
from index.engine import SupplierIndex
from index.lexical import common_words
from index.needs import Need, Ranked
from index.reading import MAX_NEED, NeedError
from index.suppliers import Suggestion


def rank_needs(
    index: SupplierIndex, needs: Iterable[Need], k: int | None = None
) -> Iterator[Ranked]:
    """For each need, its own list of suppliers (or the whole index) re-ordered, best first.

    `k` keeps only the first suggestions. Raises `MaillonError` naming the need where its text or
    a supplier, given by id or by name, is not in the index.
    """
    known = {supplier.name: supplier for supplier in index.suppliers}
    known |= {supplier.id: supplier for supplier in index.suppliers}
    for need in needs:
        unknown = [name for name in need.suppliers if name not in known]
        if unknown:
            raise MaillonError(
                f"besoin {need.id} : fournisseur « {unknown[0]} » absent du fichier. Donnez son "
                "identifiant ou son nom, tel qu'il y est écrit."
            )
        listed = [known[name] for name in dict.fromkeys(need.suppliers)] or None
        try:
            suggestions = index.rerank(need.text, listed)
        except NeedError as error:
            raise MaillonError(
                f"besoin {need.id} : « {need.text[:60]} » n'a aucun mot ou dépasse {MAX_NEED} "
                "caractères. Corrigez la ligne."
            ) from error
        yield from (_ranked(need, suggestion) for suggestion in suggestions[:k])


def _ranked(need: Need, suggestion: Suggestion) -> Ranked:
    return Ranked(need, suggestion, tuple(common_words(need.text, suggestion.capability)))
