from collections import Counter

from index.demo import demo_suppliers


def test_the_demo_directory_is_wide_and_unique() -> None:
    suppliers = demo_suppliers()
    assert len(suppliers) >= 360
    assert len({supplier.department for supplier in suppliers}) >= 60
    assert len({supplier.id.rsplit("-", 1)[0] for supplier in suppliers}) >= 15
    for value in ("id", "name"):
        counts = Counter(getattr(supplier, value) for supplier in suppliers)
        assert counts.most_common(1)[0][1] == 1


def test_the_demo_sends_nobody_to_a_real_site() -> None:
    urls = [supplier.url for supplier in demo_suppliers() if supplier.url]
    assert all(url.rstrip("/").endswith(".example") for url in urls)
    assert not any(supplier.siret for supplier in demo_suppliers())
