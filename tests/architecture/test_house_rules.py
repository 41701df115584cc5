"""The rules of the house that a linter has no word for. Import directions are import-linter's."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("services", "api", "devices", "ops", "bench", "migrations")
SOURCES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "versions" not in path.parts
)
MAX_LINES = 400
MAX_FUNCTION_LINES = 60
VAGUE = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common)(_|$)")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def attribute_calls(tree: ast.AST, *names: str) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names
    ]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_file_is_one_room(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES
    assert not VAGUE.search(path.stem), "a name says what is inside"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_function_fits_the_eye_and_is_explained(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert path.stat().st_size == 0 or ast.get_docstring(tree), "every file says what it is for"
    for function in functions(tree):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        assert length <= MAX_FUNCTION_LINES, f"{function.name} has {length} lines"


@pytest.mark.parametrize("path", [p for p in SOURCES if p.parts[-3:-1] != ("services", "core")], ids=name_of)
def test_only_the_unit_of_work_commits(path: Path) -> None:
    if name_of(path) == "migrations/env.py" or path.is_relative_to(ROOT / "bench"):
        return
    assert not attribute_calls(ast.parse(path.read_text()), "commit"), "one edge, one transaction"


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.parent == ROOT / "api" / "routes" and p.stem != "health"], ids=name_of
)
def test_a_route_holds_no_query(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in ("sqlalchemy", "sqlmodel", "asyncpg")


@pytest.mark.parametrize("path", [p for p in SOURCES if p.parts[-1] != "transitions.py"], ids=name_of)
def test_a_status_changes_only_through_its_transitions(path: Path) -> None:
    """Assigning ``row.status`` by hand would leave no history. The demo writes a past with its own history."""
    if path.is_relative_to(ROOT / "ops" / "demo"):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            if isinstance(target, ast.Attribute) and target.attr == "status":
                owner = ast.unparse(target.value)
                assert owner in ("self", "response"), f"line {node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize(
    "path",
    [p for p in SOURCES if p.parts[-2] not in ("core", "versions") and "services" in p.parts],
    ids=name_of,
)
def test_sql_lives_in_repositories(path: Path) -> None:
    """``select`` and friends stand in repositories, read models and core; the relay's loops own their own."""
    if path.stem in ("repository", "queries", "models", "relay", "deliveries", "worker", "schema"):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module in ("sqlalchemy", "sqlmodel"):
            names = {alias.name for alias in node.names} & {"select", "insert", "update", "delete", "text"}
            assert not names, f"line {node.lineno}: {sorted(names)} belong in repository.py"
