from pathlib import Path

import numpy as np
import pytest

from embed.encoder import FAST, Encoder
from embed.errors import MaillonError
from eval.calibration import Pairs, check, fit
from index.confidence import FILE, Calibration, Curve, calibration_of
from index.engine import SupplierIndex
from index.ranking import Mix
from index.suppliers import Supplier

CURVE = Curve(bias=-2.0, score=10.0, nearest=-1.0)
BOTH = Calibration(CURVE, Curve(bias=-1.0, score=12.0, nearest=-3.0), threshold=0.3)


def test_confidence_is_a_logistic_curve() -> None:
    sure = CURVE.probability(np.array([0.3, 0.5], np.float32), nearest=1.0)
    np.testing.assert_allclose(sure, [1 / (1 + np.exp(0)), 1 / (1 + np.exp(-2))], rtol=1e-5)


def test_a_calibration_is_read_as_written_and_damage_is_told(tmp_path: Path) -> None:
    assert calibration_of(str(tmp_path)) is None
    assert calibration_of("someone/a-hub-model") is None
    BOTH.write(tmp_path / FILE)
    assert calibration_of(str(tmp_path)) == BOTH
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(MaillonError, match=r"calibration.json is damaged. Fit it again"):
        calibration_of(str(tmp_path))


def test_a_curve_fitted_on_judged_pairs_says_what_the_judges_said() -> None:
    draw = np.random.default_rng(0)
    scores = draw.random((400, 10)).astype(np.float32)
    suited = draw.random((400, 10)) < 1 / (1 + np.exp(4 - 8 * scores))
    scores[:40], suited[:40] = scores[:40] / 4, False  # forty needs that nobody meets
    gap = np.array([not row.any() for row in suited])
    found = Pairs(scores, np.full(400, 0.5, np.float32), suited, gap)
    curve = fit(found)
    assert curve.suits.score == pytest.approx(8, abs=1.5)
    told = check(curve, found)
    assert told.ece < 0.03
    assert told.served == pytest.approx(0.9, abs=0.01)
    assert told.gap_auroc is not None
    assert told.gap_auroc > 0.9
    assert sum(count for count, _, _ in told.bins) == 4_000


def test_the_embedded_encoder_is_sure_of_its_own_trade_and_not_of_another(
    encoder: Encoder,
) -> None:
    assert calibration_of(FAST) is not None
    suppliers = [
        Supplier("ano", "Anodisation", ("Anodisation sulfurique et dure de pièces en aluminium",)),
        Supplier("pain", "Fournil", ("Pains précuits surgelés pour la restauration",)),
    ]
    index = SupplierIndex.build(suppliers, encoder)
    found = index.search("anodisation de pièces en aluminium")
    assert [one.supplier.id for one in found] == ["ano", "pain"]
    sure = [one.confidence or 0 for one in found]
    assert sure[0] > 0.6 > 0.1 > sure[1]
    assert not index.nobody_fits("anodisation de pièces en aluminium", found)
    rocket = "lancement d'un satellite en orbite"
    assert index.nobody_fits(rocket, index.search(rocket))
    lexical = SupplierIndex.build(suppliers, encoder, mix=Mix(0, 1, 0))
    assert lexical.search("anodisation")[0].confidence is None
