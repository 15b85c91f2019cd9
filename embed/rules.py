"""spaCy, of which the rules serve here: it is imported without torch."""

import sys


def import_spacy() -> None:
    """Import spaCy, late and before any `from spacy`: `maillon --help` must not wait for it.

    Its library thinc imports torch wherever that is installed, 1.4 s and 180 MB that no rule needs.
    A torch that was imported before stays, and can be imported after.
    """
    left_out = "torch" not in sys.modules
    if left_out:
        sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        import spacy  # noqa: F401
    finally:
        if left_out:
            del sys.modules["torch"]
