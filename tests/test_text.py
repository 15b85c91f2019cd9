import pytest

from embed.text import clean, fold, light_stem, words


def forms(text: str) -> list[str]:
    return [word.strict for word in words(clean(text))]


def test_elisions_and_stop_words_are_left_out() -> None:
    assert forms("la coque qui protège la batterie de l'engin, jusqu'à 500 par an") == [
        "coque",
        "protege",
        "batterie",
        "engin",
    ]


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("Ø 3", ["ø3"]),
        ("EN 9100", ["en9100"]),
        ("EN9100", ["en9100"]),
        ("certifié en 9100", ["certifie", "en9100"]),
        ("barre en 316L", ["barre", "316l"]),
        ("iso 13485", ["iso13485"]),
        ("NF EN ISO 9001", ["iso9001"]),
        ("inox 316L", ["inox", "316l"]),
        ("vis M12x1,5", ["vis", "m12x1.5"]),
        ("6082-T6", ["6082t6"]),
        ("6082 T6", ["6082t6"]),
        ("1.4404", ["1.4404"]),
        ("presse 350 t", ["presse", "350t"]),
        ("fraisage 5 axes", ["fraisage", "5axes"]),
        ("cuves de 5 000 litres", ["cuves", "5000l"]),
        ("CUVE 5000 L", ["cuve", "5000l"]),
        ("1,5 mm, 1.5mm", ["1.5mm", "1.5mm"]),
        ("presse de 350 tonnes", ["presse", "350t"]),
        ("10.000 vis, 500 pièces/an, 20 000 par an", ["10000", "vis"]),
        ("vis en petites et moyennes séries", ["vis"]),
        ("ABS/PMMA", ["abs", "pmma"]),
        ("presse-plieuse", ["presse", "plieuse"]),
        ("d'1 mm, (P>350t) tôle<3mm", ["1mm", "350t", "tole", "3mm"]),
        ("aujourd'hui jusqu'à 2 m²", ["2", "m2"]),
        ("Perçage profond;fraisage|tournage", ["percage", "profond", "fraisage", "tournage"]),
    ],
)
def test_technical_tokens_stay_whole(written: str, compared: list[str]) -> None:
    assert forms(written) == compared


def test_places_count_code_points_of_the_text() -> None:
    text = "🚲 châssis soudé"
    assert [(w.start, w.end, text[w.start : w.end]) for w in words(text)] == [
        (2, 9, "châssis"),
        (10, 15, "soudé"),
    ]


def test_clean_drops_control_and_direction_characters() -> None:
    assert clean(" l’usinage\x00\u202e\tpré\u00adcis \n") == "l'usinage précis"


def test_fold_compares_spellings() -> None:
    assert fold("ŒUVRE Éclairée") == fold("oeuvre éclairee") == "oeuvre eclairee"


@pytest.mark.parametrize(
    ("several", "one"),
    [
        ("panneaux", "panneau"),
        ("tuyaux", "tuyau"),
        ("metaux", "metal"),
        ("pieces", "piece"),
        ("moulees", "mouler"),
        ("carters", "carter"),
        ("emaux", "email"),
        ("travaux", "travail"),
        ("axes", "axe"),
        ("cles", "cle"),
        ("murs", "mur"),
        ("verres", "verre"),
    ],
)
def test_light_stem_joins_the_forms_of_a_word(several: str, one: str) -> None:
    assert light_stem(several) == light_stem(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("dos", "doses"), ("vis", "visee"), ("bus", "buses"), ("fil", "fille"), ("fers", "f")],
)
def test_light_stem_leaves_short_words_apart(one: str, other: str) -> None:
    assert light_stem(one) != light_stem(other)


def test_strict_form_keeps_apart_what_the_stem_joins() -> None:
    carter, carte = words("carter carte")
    assert carter.stem == carte.stem
    assert carter.strict != carte.strict


def test_accents_tell_a_thing_from_a_stop_word() -> None:
    assert forms("de l'or, mais aussi du maïs") == ["or", "mais"]


def test_a_text_of_stop_words_or_signs_has_no_word() -> None:
    assert words("pour le… et de la !") == []
