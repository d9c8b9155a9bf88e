"""The security page and others name tests and modules; each of them exists."""

from __future__ import annotations

import ast
import re
from typing import Final

from tests.docs.blocks import DOCS, PAGES, ROOT

_NAMED: Final = re.compile(r"`(?P<path>tests/[\w./-]+\.py)::(?P<name>\w+)`")
_MODULE: Final = re.compile(r"`(?P<path>[\w/]+\.py)`")
_PAGE: Final = (DOCS / "security.md").read_text(encoding="utf-8")
_ROWS: Final = [
    row
    for row in _PAGE.splitlines()
    if row.startswith("|") and not row.startswith(("| Control", "| ---"))
]


def test_every_control_names_a_module_and_a_test() -> None:
    assert len(_ROWS) >= 20
    assert not [row for row in _ROWS if not _MODULE.search(row) or not _NAMED.search(row)]


def test_every_named_test_exists() -> None:
    named = [pair for page in PAGES for pair in _NAMED.findall(page.read_text(encoding="utf-8"))]
    missing = []
    for path, name in named:
        file = ROOT / path
        tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        if name not in defined:
            missing.append(f"{path}::{name}")
    assert len(named) > 60
    assert not missing


def test_every_named_module_exists() -> None:
    library = ROOT / "constructs" / "cdk_emr_eks"
    assert not [path for path in _MODULE.findall(_PAGE) if not (library / path).is_file()]
