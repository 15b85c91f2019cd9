"""Another encoder for an index folder, while the one before goes on answering."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from embed.encoder import Encoder
from index import generation
from index.catalogue import FILE, Catalogue, EncoderChangedError
from index.concepts import Concepts
from index.living import BATCH, Track


def switch(folder: Path, encoder: Encoder, track: Track = iter) -> int:
    """Encode what the encoder does not know yet, write its generation, then make it the current.

    What was encoded stays when this is stopped: the next run goes on from there. Suppliers that
    are written meanwhile are encoded before the switch. Gives the number of texts encoded.
    """
    count = 0
    while True:
        with closing(Catalogue.open(folder / FILE)) as catalogue:
            catalogue.check(encoder)
            concepts = catalogue.concepts(encoder.name) or Concepts.build(encoder)
            catalogue.know(encoder, concepts)
            for batch in track(list(_batches(catalogue, encoder.name))):
                catalogue.learn(encoder.name, batch, encoder.encode_capabilities(batch))
                count += len(batch)
        try:
            generation.fold(folder, encoder.name, concepts, switching=True)
        except EncoderChangedError:
            continue  # suppliers came meanwhile, and may have texts that it does not know
        return count


def _batches(catalogue: Catalogue, encoder: str) -> Iterator[list[str]]:
    waiting: list[str] = []
    seen: set[str] = set()
    for texts in catalogue.capabilities():
        waiting += [text for text in catalogue.missing(encoder, texts) if text not in seen]
        seen.update(waiting)
        while len(waiting) >= BATCH:
            yield waiting[:BATCH]
            waiting = waiting[BATCH:]
    if waiting:
        yield waiting
