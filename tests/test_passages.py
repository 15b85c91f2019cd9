from embed.passages import passages


def test_a_short_text_is_one_passage() -> None:
    assert passages("Tournage CN. Fraisage.") == ["Tournage CN. Fraisage."]


def test_sentences_are_gathered_up_to_the_limit() -> None:
    text = "Tournage CN de barres. Fraisage 5 axes ! Nous livrons partout. Depuis 1978."
    assert passages(text, most=45) == [
        "Tournage CN de barres. Fraisage 5 axes !",
        "Nous livrons partout. Depuis 1978.",
    ]


def test_a_sentence_without_end_is_cut_between_words() -> None:
    assert passages("tournage, fraisage, perçage, alésage", most=20) == [
        "tournage, fraisage,",
        "perçage, alésage",
    ]
    assert passages("x" * 45, most=20) == ["x" * 20, "x" * 20, "x" * 5]
