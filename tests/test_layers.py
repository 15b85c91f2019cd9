"""The arrows: embed ← index ← api, eval."""

import ast
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = {
    "embed": {"embed"},
    "index": {"embed", "index"},
    "api": {"embed", "index", "api"},
    "eval": {"embed", "index", "eval"},
}


def imports(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", LAYERS)
def test_arrows_go_one_way(package: str) -> None:
    for file in (ROOT / package).rglob("*.py"):
        used = imports(ast.parse(file.read_text(encoding="utf-8"))) & LAYERS.keys()
        allowed = LAYERS[package] | ({"eval"} if file.name == "cli.py" else set())
        assert used <= allowed, f"{file.relative_to(ROOT)} imports {used - allowed}"


def test_the_command_line_mounts_the_commands_of_eval_and_nothing_heavy_of_it() -> None:
    tree = ast.parse((ROOT / "api" / "cli.py").read_text(encoding="utf-8"))
    mounted = [
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "eval"
        for alias in node.names
    ]
    assert mounted == ["cli"]
    commands = ast.parse((ROOT / "eval" / "cli.py").read_text(encoding="utf-8"))
    at_the_top = [node for node in commands.body if isinstance(node, ast.Import | ast.ImportFrom)]
    used = imports(ast.Module(list(at_the_top), []))
    assert used == {"collections", "pathlib", "typing", "typer", "embed"}


def test_only_one_module_imports_sentence_transformers() -> None:
    users = [
        file.relative_to(ROOT).as_posix()
        for package in LAYERS
        for file in (ROOT / package).rglob("*.py")
        if "embed/train" not in file.as_posix()
        and "sentence_transformers" in imports(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert users == ["embed/sentence.py"]


@pytest.mark.parametrize("package", LAYERS)
def test_no_other_distribution_provides_our_names(package: str) -> None:
    assert set(packages_distributions().get(package, ["maillon"])) == {"maillon"}
