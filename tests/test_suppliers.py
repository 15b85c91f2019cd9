import pytest

from index.suppliers import Supplier, SupplierError, parse_supplier

LEAST = {"id": "s1", "name": "Atelier", "capabilities": ["tournage"]}


def test_only_id_name_and_capabilities_are_required() -> None:
    assert parse_supplier(LEAST) == Supplier("s1", "Atelier", ("tournage",))


def test_texts_are_cleaned_and_codes_brought_to_one_form() -> None:
    supplier = parse_supplier(
        {
            "id": " s1 ",
            "name": "L’Atelier\u202e",
            "capabilities": ["  tournage  CN ", "tournage CN", ""],
            "department": "2a",
            "postcode": "20 000",
            "certifications": ["EN 9100", "EN 9100"],
            "series": ["petite"],
            "naf": "2562a",
            "siret": "732 829 320 00074",
            "url": "www.atelier.example",
            "lat": "41.92",
            "lon": 8.73,
        }
    )
    assert supplier == Supplier(
        id="s1",
        name="L'Atelier",
        capabilities=("tournage CN",),
        department="2A",
        postcode="20000",
        certifications=("EN 9100",),
        series=("petite",),
        naf="25.62A",
        siret="73282932000074",
        url="https://www.atelier.example",
        lat=41.92,
        lon=8.73,
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "  "}, "nom (name) vide. Complétez-le."),
        (
            {"capabilities": []},
            "aucune capacité. Décrivez au moins un savoir-faire du fournisseur.",
        ),
        ({"capabilities": ["!!"]}, "capacité sans aucun mot : « !! ». Décrivez le savoir-faire."),
        (
            {"department": "99"},
            "département inconnu : « 99 ». Donnez un code tel que 74, 2A ou 971.",
        ),
        ({"postcode": "7430"}, "code postal invalide : « 7430 ». Donnez cinq chiffres."),
        ({"naf": "usinage"}, "code NAF invalide : « usinage ». Donnez par exemple 25.62A."),
        (
            {"siret": "73282932000075"},
            "SIRET invalide : « 73282932000075 ». Vérifiez ses quatorze chiffres ou videz la "
            "cellule.",
        ),
        (
            {"url": "javascript:alert(1)"},
            "site web invalide : « javascript:alert(1) ». Donnez une adresse https:// ou videz la "
            "cellule.",
        ),
        ({"url": "a.fr|b.fr"}, "site web invalide : « a.fr|b.fr ». Donnez une adresse https://"),
        ({"siret": "7,32829E+13"}, "SIRET abrégé par le tableur : « 7,32829E+13 ». Mettez la"),
        ({"siret": "\ud800"}, "SIRET invalide : «  ». Vérifiez"),
        ({"lat": 48.1}, "latitude et longitude vont ensemble. Complétez ou videz les deux."),
        (
            {"lat": 98.0, "lon": 2.0},
            "latitude hors limites : « 98.0 ». Donnez des degrés décimaux.",
        ),
        (
            {"series": ["énorme"]},
            "champ « series.0 » : il faut prototype, petite, moyenne ou grande, trouvé « énorme ».",
        ),
        (
            {"capabilities": "tournage"},
            "champ « capabilities » : il faut une liste entre crochets, trouvé « tournage ».",
        ),
        ({"telephone": "01"}, "champ inconnu « telephone ». Retirez-le ou renommez-le"),
    ],
)
def test_a_bad_field_is_named_with_its_value(change: dict[str, object], message: str) -> None:
    with pytest.raises(SupplierError) as caught:
        parse_supplier({**LEAST, **change})
    assert str(caught.value).startswith(message)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(SupplierError, match="champ « name » absent. Ajoutez-le."):
        parse_supplier({"id": "s1", "capabilities": ["tournage"]})


def test_sizes_are_bounded() -> None:
    with pytest.raises(SupplierError, match="capacité de 2001 caractères, 2000 au plus"):
        Supplier("s1", "Atelier", ("a" * 2001,))
    with pytest.raises(SupplierError, match="201 capacités, 200 au plus"):
        Supplier("s1", "Atelier", tuple(f"pièce {n}" for n in range(201)))
