"""A supplier and a suggestion: one type from the file to the wire."""

import json
import math
import re
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from stdnum.exceptions import ValidationError as NumberError
from stdnum.fr import siret as siret_number

from embed.errors import MaillonError
from embed.text import clean
from index.departments import DEPARTMENTS, Nearness, department_code

Series = Literal["prototype", "petite", "moyenne", "grande"]

MAX_CAPABILITIES = 200
MAX_CAPABILITY = 2_000
MAX_NAME = 300
MAX_LABELS = 100

_NAF = re.compile(r"(\d{2})\.?(\d{2})([A-Z])")
_URL = re.compile(r"https?://[\w-]+(?:\.[\w-]+)+(?::\d{1,5})?(?:[/?#][^\s<>|\\]*)?", re.IGNORECASE)
_POSTCODE = re.compile(r"\d{5}")


class SupplierError(MaillonError, ValueError):
    """A record that is no supplier; in French, as those who mend directories read it."""


@dataclass(frozen=True, slots=True)
class Supplier:
    """A company and what it can do; texts are cleaned and every field checked when it is made.

    `capabilities` holds 1 to 200 texts of at most 2,000 characters, `department` an INSEE code
    ("74", "2A", "971"), `lat` and `lon` degrees in WGS 84. Raises `SupplierError`.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    id: str
    name: str
    capabilities: tuple[str, ...]
    department: str | None = None
    postcode: str | None = None
    city: str | None = None
    lat: float | None = None
    lon: float | None = None
    certifications: tuple[str, ...] = ()
    series: tuple[Series, ...] = ()
    naf: str | None = None
    siret: str | None = None
    url: str | None = None
    tags: tuple[str, ...] = ()

    @classmethod
    def checked(cls, values: dict[str, Any]) -> "Supplier":
        """A supplier from the values of one that was checked when it was made: not again."""
        supplier = object.__new__(cls)
        for field in cls.__dataclass_fields__:
            value = values[field]
            object.__setattr__(supplier, field, tuple(value) if type(value) is list else value)
        return supplier

    def __post_init__(self) -> None:
        checked = {
            "name": _short("nom (name)", self.name),
            "id": _short("identifiant (id)", self.id),
            "capabilities": _capabilities(self.capabilities),
            "department": _optional(_department, self.department),
            "postcode": _optional(_postcode, self.postcode),
            "city": _optional(clean, self.city),
            "certifications": _labels("certifications", self.certifications),
            "tags": _labels("étiquettes (tags)", self.tags),
            "naf": _optional(_naf, self.naf),
            "siret": _optional(_siret, self.siret),
            "url": _optional(_url, self.url),
        }
        _coordinates(self.lat, self.lon)
        for field, value in checked.items():
            object.__setattr__(self, field, value)


@dataclass(frozen=True, slots=True)
class Highlight:
    """A word of a capability that weighed: code points `start` to `end`, weight from 0 to 1."""

    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A supplier at its rank (from 1), with its best capability for the need.

    `score` runs from 0 to 1 and depends on the need and the supplier alone; the rank takes
    nearness into account where it is asked for. `confidence` is the probability that the supplier
    suits the need, None where the encoder ships no calibration. `trades` are those of the lexicon
    that need and capability both evoke, in its words. `also` are further capabilities that match.
    `distance_km` and `nearness` are from the place asked for, `missing` the certificates that the
    need asks for and the supplier does not give, `ruled_out` words of the capability that the need
    refuses.
    """

    rank: int
    score: float
    supplier: Supplier
    capability: str
    confidence: float | None = None
    highlights: tuple[Highlight, ...] = ()
    trades: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    distance_km: float | None = None
    nearness: Nearness | None = None
    missing: tuple[str, ...] = ()
    ruled_out: tuple[str, ...] = ()


_ADAPTER = TypeAdapter(Supplier)
_WANTED = {
    "string_type": "un texte",
    "tuple_type": "une liste entre crochets",
    "float_type": "un nombre",
    "float_parsing": "un nombre",
    "literal_error": "prototype, petite, moyenne ou grande",
}


def parse_supplier(record: dict[str, Any]) -> Supplier:
    """The supplier that a JSON object describes; raises `SupplierError` naming field and value."""
    try:
        return _ADAPTER.validate_python(record)
    except ValidationError as error:
        raise SupplierError(_in_french(error)) from error


def as_json_line(record: object) -> str:
    """A dataclass as one line of JSON, accents as they are."""
    return json.dumps(asdict(record), ensure_ascii=False)  # type: ignore[call-overload]


def _in_french(error: ValidationError) -> str:
    first = error.errors()[0]
    field = _shown(".".join(str(part) for part in first["loc"]))
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    if first["type"] in ("missing", "missing_argument"):
        return f"champ {field} absent. Ajoutez-le."
    if first["type"] in ("unexpected_keyword_argument", "string_unicode"):
        return (
            f"champ inconnu {field}. Retirez-le ou renommez-le : les champs admis sont "
            f"{', '.join(Supplier.__dataclass_fields__)}."
        )
    wanted = _WANTED.get(first["type"], "autre chose")
    return f"champ {field} : il faut {wanted}, trouvé {_shown(first['input'])}. Corrigez-le."


def _shown(value: object) -> str:
    text = clean(str(value))
    return f"« {text[:60]}… »" if len(text) > 60 else f"« {text} »"


def _optional(check: Any, value: str | None) -> str | None:  # noqa: ANN401
    return check(value) if value and value.strip() else None


def _texts(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for value in values if (text := clean(value))))


def _labels(field: str, values: tuple[str, ...]) -> tuple[str, ...]:
    texts = _texts(values)
    if len(texts) > MAX_LABELS:
        raise SupplierError(f"{field} : {len(texts)} valeurs, {MAX_LABELS} au plus. Regroupez-les.")
    return tuple(_short(field, text) for text in texts)


def _short(field: str, value: str) -> str:
    text = clean(value)
    if not text:
        raise SupplierError(f"{field} vide. Complétez-le.")
    if len(text) > MAX_NAME:
        raise SupplierError(
            f"{field} de {len(text)} caractères, {MAX_NAME} au plus : {_shown(text)}. "
            "Raccourcissez-le."
        )
    return text


def _capabilities(values: tuple[str, ...]) -> tuple[str, ...]:
    texts = _texts(values)
    if not texts:
        raise SupplierError("aucune capacité. Décrivez au moins un savoir-faire du fournisseur.")
    if len(texts) > MAX_CAPABILITIES:
        raise SupplierError(
            f"{len(texts)} capacités, {MAX_CAPABILITIES} au plus. "
            "Regroupez-les ou scindez la fiche."
        )
    for text in texts:
        if len(text) > MAX_CAPABILITY:
            raise SupplierError(
                f"capacité de {len(text)} caractères, {MAX_CAPABILITY} au plus : {_shown(text)}. "
                "Coupez-la en plusieurs capacités séparées par « | »."
            )
        if not any(c.isalnum() for c in text):
            raise SupplierError(
                f"capacité sans aucun mot : {_shown(text)}. Décrivez le savoir-faire."
            )
    return texts


def _department(value: str) -> str:
    code = department_code(clean(value))
    if code not in DEPARTMENTS:
        raise SupplierError(
            f"département inconnu : {_shown(value)}. Donnez un code tel que 74, 2A ou 971."
        )
    return code


def _postcode(value: str) -> str:
    code = clean(value).replace(" ", "")
    if not _POSTCODE.fullmatch(code):
        raise SupplierError(f"code postal invalide : {_shown(value)}. Donnez cinq chiffres.")
    return code


def _naf(value: str) -> str:
    found = _NAF.fullmatch(clean(value).upper().replace(" ", ""))
    if not found:
        raise SupplierError(f"code NAF invalide : {_shown(value)}. Donnez par exemple 25.62A.")
    return f"{found[1]}.{found[2]}{found[3]}"


def _siret(value: str) -> str:
    try:
        return str(siret_number.validate(value))
    except NumberError as error:
        if "E+" in value.upper():
            raise SupplierError(
                f"SIRET abrégé par le tableur : {_shown(value)}. Mettez la colonne au format texte "
                "et saisissez les quatorze chiffres."
            ) from error
        raise SupplierError(
            f"SIRET invalide : {_shown(value)}. Vérifiez ses quatorze chiffres ou videz la cellule."
        ) from error


def _url(value: str) -> str:
    url = clean(value)
    if not re.match(r"[a-z][a-z0-9+.-]*:", url, re.IGNORECASE):
        url = f"https://{url}"
    if not _URL.fullmatch(url):
        raise SupplierError(
            f"site web invalide : {_shown(value)}. Donnez une adresse https:// ou videz la cellule."
        )
    return url


def _coordinates(lat: float | None, lon: float | None) -> None:
    if (lat is None) != (lon is None):
        raise SupplierError("latitude et longitude vont ensemble. Complétez ou videz les deux.")
    for name, value, bound in (("latitude", lat, 90), ("longitude", lon, 180)):
        if value is not None and not (math.isfinite(value) and abs(value) <= bound):
            raise SupplierError(
                f"{name} hors limites : {_shown(value)}. Donnez des degrés décimaux."
            )
