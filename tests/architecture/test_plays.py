"""Nobody goes round `visible_plays`: no other code touches the table of plays, and nothing else gives any of them."""

from __future__ import annotations

import ast
import re

from tests.architecture.source import SourceFile, source_files, where

HOME = "daemon/data/plays.py"
MODULE = "daemon.data.plays"

# What may be imported from there, and by whom. Values of plays come out of `visible_plays` alone.
ALLOWED = {
    "Play": {"daemon/services/plays.py", "daemon/services/privacy.py"},
    "NewPlay": {"daemon/services/plays.py"},
    "Viewer": {"daemon/services/plays.py", "daemon/services/privacy.py"},
    "record": {"daemon/services/plays.py"},
    "visible_plays": {"daemon/services/plays.py", "daemon/services/privacy.py"},
    "claim_plays": {"daemon/services/accounts.py"},
    "erase_plays": {"daemon/services/privacy.py"},
    "delete_expired_plays": {"daemon/services/retention.py"},
}
# These name every table there is, to make it, or to copy it into a backup and out of it.
EVERY_TABLE = {"daemon/data/tables.py"}
SQL = re.compile(r"\b(from|join|into|update|table)\s+\"?plays\b", re.IGNORECASE)


def production() -> list[SourceFile]:
    return [f for f in source_files() if f.path.startswith(("daemon/", "integrations/")) and f.path != HOME]


def test_only_what_is_allowed_is_imported() -> None:
    found = [
        (file.path, name.removeprefix(f"{MODULE}."))
        for file in production()
        for name in file.imports()
        if name == MODULE or name.startswith(f"{MODULE}.")
    ]
    assert {path for path, _ in found} >= {"daemon/services/plays.py", "daemon/services/privacy.py"}
    whole = {(path, name) for path, name in found if name == MODULE}
    assert {path for path, _ in whole} <= EVERY_TABLE
    assert [(path, name) for path, name in found if name != MODULE and path not in ALLOWED.get(name, set())] == []


def test_the_table_has_no_public_name() -> None:
    home = next(file for file in source_files() if file.path == HOME)
    public = {
        target.id
        for node in home.tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and not target.id.startswith("_")
    }
    assert public == set()
    functions = {node.name for node in home.tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert {name for name in functions if not name.startswith("_")} == set(ALLOWED)


def test_only_visible_plays_returns_plays() -> None:
    home = next(file for file in source_files() if file.path == HOME)
    givers = {
        node.name
        for node in home.tree.body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and ast.unparse(node.returns or ast.Constant(None)) not in ("bool", "int")
    }
    assert givers == {"visible_plays"}


def test_the_table_is_named_nowhere_else() -> None:
    """Neither through the registry of tables nor in SQL; what goes through all tables alike names none."""
    named = [
        where(node, file)
        for file in production()
        if "/migrations/" not in file.path
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if SQL.search(node.value) or _is_looked_up(node, file)
    ]
    assert named == []


def test_private_names_are_not_reached_for() -> None:
    reached = [
        where(node, file)
        for file in production()
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "_plays"
        and not (isinstance(node.value, ast.Name) and node.value.id == "self")
    ]
    assert reached == []


def _is_looked_up(node: ast.Constant, file: SourceFile) -> bool:
    """`metadata.tables["plays"]`, `Table("plays", ...)`, `text("plays")` and the like."""
    if node.value != "plays":
        return False
    return any(
        (isinstance(parent, ast.Subscript) and parent.slice is node and "tables" in ast.unparse(parent.value))
        or (isinstance(parent, ast.Call) and node in parent.args and _is_of_sqlalchemy(parent))
        for parent in ast.walk(file.tree)
    )


def _is_of_sqlalchemy(call: ast.Call) -> bool:
    return ast.unparse(call.func).rpartition(".")[2] in ("Table", "table", "text", "literal_column", "count", "get")
