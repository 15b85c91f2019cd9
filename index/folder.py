"""The index folder: which files it holds, how it is written and what is checked on opening."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from embed.errors import MaillonError

FORMAT = 2
SUPPLIERS = "suppliers.jsonl"
DENSE = "dense.faiss"
LEXICAL = "lexical.npz"
CONCEPTS = "concepts.npz"
WORDS = "words.txt"
MANIFEST = "manifest.json"


class IndexFolderError(MaillonError):
    """A folder that is no index, is damaged, or was built with another encoder."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index folder says of itself.

    `probe` is the vector of a fixed sentence: it tells one encoder from another, and a model that
    was trained again under the same name from the one that built the index.
    """

    format: int
    encoder: str
    dim: int
    suppliers: int
    capabilities: int
    probe: list[float]
    sha256: dict[str, str]


def write(folder: Path, fill: Callable[[Path], None], **facts: object) -> None:
    """Write an index aside with `fill`, then put it in the place of `folder`.

    Raises `IndexFolderError` rather than replace a folder that is no index.
    """
    if folder.exists() and not (folder / MANIFEST).is_file() and _holds_anything(folder):
        raise IndexFolderError(
            f"{folder} exists and is no maillon index: it is left as it is. Choose another folder."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
        new, old = Path(beside, "new"), Path(beside, "old")
        new.mkdir(mode=0o755)
        fill(new)
        sha256 = {file.name: _digest(file) for file in sorted(new.iterdir())}
        manifest = {"format": FORMAT, **facts, "sha256": sha256}
        (new / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
        if folder.exists():
            shutil.move(folder, old)
        new.rename(folder)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an index folder; raises `IndexFolderError` where there is none to trust."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest(**content)
    except OSError as error:
        raise IndexFolderError(
            f"{folder} holds no index ({MANIFEST} not found). Build one: "
            f"maillon index suppliers.csv --to {folder}"
        ) from error
    except (ValueError, TypeError) as error:
        raise IndexFolderError(f"{folder}: {MANIFEST} is damaged. {_rebuild(folder)}") from error
    if manifest.format != FORMAT:
        raise IndexFolderError(
            f"{folder} has index format {manifest.format}, this version reads {FORMAT}. "
            f"{_rebuild(folder)}"
        )
    return manifest


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raise `IndexFolderError` where a file is missing, truncated or altered."""
    for name in (SUPPLIERS, DENSE, LEXICAL, CONCEPTS, WORDS):
        file = folder / name
        if not file.is_file():
            raise IndexFolderError(f"{folder}: {name} is missing. {_rebuild(folder)}")
        if _digest(file) != manifest.sha256.get(name):
            raise IndexFolderError(
                f"{folder}: {name} is not the file that was written ({file.stat().st_size} bytes "
                f"now). {_rebuild(folder)}"
            )


def as_json_line(record: object) -> str:
    """A dataclass as one line of JSON, accents as they are."""
    return json.dumps(asdict(record), ensure_ascii=False)  # type: ignore[call-overload]


def _rebuild(folder: Path) -> str:
    return f"Rebuild it: maillon index suppliers.csv --to {folder}"


def _holds_anything(folder: Path) -> bool:
    return not folder.is_dir() or any(folder.iterdir())


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
