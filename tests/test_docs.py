"""What the README shows is what happens."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^\$ maillon (.+)\n((?:(?!```).+\n)*)", README, re.MULTILINE)


def close(shown: object, printed: object) -> bool:
    if isinstance(shown, dict) and isinstance(printed, dict):
        return shown.keys() == printed.keys() and all(close(shown[k], printed[k]) for k in shown)
    if isinstance(shown, list) and isinstance(printed, list):
        return len(shown) == len(printed) and all(map(close, shown, printed))
    return shown == (pytest.approx(printed, abs=0.02) if isinstance(shown, float) else printed)


def test_the_commands_print_what_is_shown(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    for name in ("annuaire.csv", "besoins.csv"):
        shutil.copy(ROOT / "tests" / name, tmp_path / "tests" / name)
    assert [command.split()[0] for command, _ in SHOWN] == ["index", "search", "rerank"]
    for command, shown in SHOWN:
        arguments = [sys.executable, "-m", "api.cli", *shlex.split(command)]
        done = subprocess.run(
            arguments, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True,
            stderr=subprocess.STDOUT if "index tests" in command else subprocess.PIPE,
        )  # fmt: skip
        if "--json" in command:
            assert close(json.loads(shown), json.loads(done.stdout))
        else:
            printed = [line for line in done.stdout.splitlines() if line.strip()]
            assert set(shown.splitlines()) <= set(printed), done.stdout


def test_the_python_example_runs(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[0].endswith(
        "Coutures du Bocage | Confection de sacs et housses en toile enduite"
    )


def test_the_readme_links_to_what_exists() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
