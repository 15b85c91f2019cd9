import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from embed.lexicon import (
    Ask,
    Confusion,
    Entry,
    LexiconError,
    near_duplicates,
    read_asks,
    read_lexicon,
)

DEEP: dict[str, object] = {
    "id": "usinage/percage-profond",
    "branch": "percage",
    "label": "Perçage profond",
    "synonyms": ["forage profond"],
    "definition": "Trou dont la longueur dépasse dix fois le diamètre, foré d'un trait.",
    "products": ["canons"],
    "materials": ["acier"],
    "lay": [f"un trou de {n} mm sur un mètre cinquante" for n in range(5, 10)],
    "not": [{"what": "Alésage", "why": "agrandit un trou déjà percé"}],
    "standards": [],
    "related": [],
}


def lexicon(folder: Path, *records: Mapping[str, object]) -> Path:
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (folder / "usinage.jsonl").write_text(lines, encoding="utf-8")
    return folder


def test_an_entry_is_read_as_it_is_written(tmp_path: Path) -> None:
    (entry,) = read_lexicon(lexicon(tmp_path, DEEP))
    assert entry == Entry(
        id="usinage/percage-profond",
        branch="percage",
        label="Perçage profond",
        synonyms=("forage profond",),
        definition="Trou dont la longueur dépasse dix fois le diamètre, foré d'un trait.",
        products=("canons",),
        materials=("acier",),
        lay=tuple(f"un trou de {n} mm sur un mètre cinquante" for n in range(5, 10)),
        confusions=(Confusion("Alésage", "agrandit un trou déjà percé"),),
        standards=(),
        related=(),
    )
    assert entry.sector == "usinage"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"id": "tolerie/x"}, "usinage.jsonl:1: id 'tolerie/x' is not usinage/slug"),
        ({"colour": "red"}, "usinage.jsonl:1: fields missing or unknown: colour"),
        ({"label": " "}, "usinage.jsonl:1: label is no text"),
        ({"synonyms": "forage"}, "usinage.jsonl:1: synonyms is no list of texts"),
        ({"lay": ["un trou"]}, "usinage.jsonl:1: 1 lay phrases, at least 5 are wanted"),
        ({"not": ["x"]}, 'usinage.jsonl:1: "not" holds something else than what and why'),
        ({"related": ["usinage/x"]}, "usinage/percage-profond: related to usinage/x, which is no"),
    ],
)
def test_a_fault_is_told_with_its_line(
    tmp_path: Path, change: dict[str, object], fault: str
) -> None:
    with pytest.raises(LexiconError) as caught:
        read_lexicon(lexicon(tmp_path, {**DEEP, **change}))
    assert str(caught.value).startswith(fault)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(LexiconError) as caught:
        read_lexicon(lexicon(tmp_path, {**DEEP, "label": ""}, {**DEEP, "branch": 3}, DEEP))
    assert str(caught.value).splitlines() == [
        "usinage.jsonl:1: label is no text",
        "usinage.jsonl:2: branch is no text",
    ]
    with pytest.raises(LexiconError, match="usinage/percage-profond: stands 2 times"):
        read_lexicon(lexicon(tmp_path, DEEP, DEEP))


def test_one_concept_written_twice_is_seen(tmp_path: Path) -> None:
    again = {**DEEP, "id": "usinage/forage", "label": "Forage", "lay": list("abcde")}
    other = {**again, "id": "usinage/brochage", "label": "Brochage", "definition": "Taille d'un "}
    entries = read_lexicon(lexicon(tmp_path, DEEP, again, {**other, "lay": list("fghij")}))
    assert near_duplicates(entries) == [("usinage/percage-profond", "usinage/forage")]


def test_an_ask_is_read_with_its_trades_and_every_fault_is_told(tmp_path: Path) -> None:
    entries = read_lexicon(lexicon(tmp_path, DEEP))
    (tmp_path / "asks").mkdir()
    file = tmp_path / "asks" / "maison.tsv"
    file.write_text("un canon de fusil\tusinage/percage-profond\n", encoding="utf-8")
    assert read_asks(entries, tmp_path) == [Ask("un canon de fusil", ("usinage/percage-profond",))]
    file.write_text("un canon\tusinage/x\nUn Canon\n\tusinage/percage-profond\n", "utf-8")
    with pytest.raises(LexiconError) as caught:
        read_asks(entries, tmp_path)
    assert str(caught.value).splitlines() == [
        "maison.tsv:1: usinage/x is no entry",
        "maison.tsv:2: 0 ids after the tab, 1 to 4 are wanted",
        "maison.tsv:2: stands twice: Un Canon",
        "maison.tsv:3: no text before the tab",
    ]


def test_our_lexicon_is_sound_and_wide() -> None:
    entries = read_lexicon()
    assert len(entries) >= 1_500
    assert len({entry.sector for entry in entries}) >= 18
    assert near_duplicates(entries) == []
    asks = read_asks(entries)
    assert len(asks) >= 10_000
    assert len({one for ask in asks for one in ask.ids}) >= 1_500
