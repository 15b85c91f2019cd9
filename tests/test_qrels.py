import pytest

from index.qrels import cell, supplier_of


@pytest.mark.parametrize(
    ("supplier", "written"),
    [
        ("forge-74", "forge-74"),
        ("la forge", "la%20forge"),
        ("a\u00a0b", "a%C2%A0b"),
        ("100%20", "100%2520"),
        ("bâti/é", "bâti/é"),
    ],
)
def test_an_id_stands_in_a_cell_and_comes_back(supplier: str, written: str) -> None:
    assert cell(supplier) == written
    assert written.split() == [written]
    assert supplier_of(written) == supplier
