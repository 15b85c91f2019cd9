from pathlib import Path

import pytest

from embed.spelling import Spelling

KNOWN = Spelling(
    ["taillage", "engrenages", "plan", "percage", "perçage", "débouchant", "lot", "alu"]
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("tailage d'engrennages sur paln", "taillage d'engrenages sur plan"),
        ("TAILLAGE d'Engrenages", "TAILLAGE d'Engrenages"),
        ("perç. débouch. 316L Ø14", "percage débouchant 316L Ø14"),
        (
            "qté 20, tth puis inj. plast",
            "quantité 20, traitement thermique puis injection plastique",
        ),
        ("lto de pla", "lto de pla"),  # too short to guess
        ("zirgonflet EN9100 M12x1,5", "zirgonflet EN9100 M12x1,5"),
        ("un plan. Un lot.", "un plan. Un lot."),
        ("une maisonnette pour la canicule", "une maisonnette pour la canicule"),
    ],
)
def test_slips_and_abbreviations_are_read_as_known_words(written: str, read: str) -> None:
    assert KNOWN.mend(written) == read


def test_a_directory_teaches_its_own_words(tmp_path: Path) -> None:
    need = "des vrillonettes en laiton"
    assert Spelling.learn([]).mend(need) == need
    taught = Spelling.learn(["Fabrication de vrillonnettes"])
    assert taught.mend(need) == "des vrillonnettes en laiton"
    taught.save(tmp_path / "words.txt")
    assert Spelling.load(tmp_path / "words.txt").known == taught.known
