"""What the pages for operators say of `maillon serve` is what it takes."""

import re
from pathlib import Path

import pytest
from typer.main import get_group

from api.serving import app

DOCS = Path(__file__).parents[1] / "docs"
ROW = re.compile(r"^\| `(--[\w-]+)` \| (?:`(\w+)` )?\| (?:`(\S+)` )?", re.MULTILINE)


@pytest.mark.parametrize("page", ["deployment.md", "deploiement.md"])
def test_the_pages_name_every_option_its_variable_and_its_default(page: str) -> None:
    told = ROW.findall((DOCS / page).read_text(encoding="utf-8"))
    options = get_group(app).commands["serve"].params
    assert told == [
        (
            one.opts[0],
            one.envvar or "",
            str(one.default) if type(one.default) in (str, int) else "",
        )
        for one in options
    ]


@pytest.mark.parametrize("page", ["api.md", "deployment.md", "deploiement.md"])
def test_the_pages_link_to_what_exists(page: str) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", (DOCS / page).read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (DOCS / link).exists()] == []
