"""Plain English and current names in every text file; the words are in tests/language.py."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests import language

BAD: Final = (
    ("Pods are made anew.", "anew"),
    ("The table beside it", "beside"),
    ("Besides, it runs", "Besides"),
    ("nobody's namespace", "nobody"),
    ("Nobody_reads = 1", "Nobody"),
    ("Whoever asks", "Whoever"),
    ("a key of its own", "of its own"),
    ("# a key of its\n# own", "of its # own"),
    ('"a key of its "\n"own"', 'of its " "own'),
    ("> images of your\n> own", "of your > own"),
    ("a cluster that is there", "that is there"),
    ("there is none, which is none of ours", "is none"),
    ("def what_is_told():", "told"),
    ("sorted by value", "by value"),
)
GOOD: Final = (
    "if found is None: return",
    "the consideration besieged",
    "retold, foretold, untold",
    "its own role, own keys",
    "the role that is theirs",
    "no one-off",
)


@pytest.mark.parametrize(("text", "found"), BAD)
def test_a_word_is_found_with_its_line(text: str, found: str) -> None:
    hits = language.findings(Path("page.md"), f"First line.\n{text}\n")
    assert [(hit.line, hit.found) for hit in hits][:1] == [(2, found)]
    assert f"page.md:2: {found!r}: " in str(hits[0])


@pytest.mark.parametrize("text", GOOD)
def test_other_words_pass(text: str) -> None:
    assert language.findings(Path("page.md"), text) == []


def test_an_old_name_is_found_where_python_defines_it() -> None:
    code = "import x\nclass Role(StrEnum):\n    def accept(self): ...\n"
    found = [(hit.line, hit.found) for hit in language.findings(Path("a.py"), code)]
    assert found == [(2, "class Role"), (3, "def accept")]
    assert language.findings(Path("page.md"), code) == []
    assert language.findings(Path("a.py"), "role = iam.Role(self)\nclass RoleUse: ...") == []


def test_the_changelog_can_quote_an_old_name() -> None:
    text = "Renamed.\n`problems_beside()` is `tenant_problems()`, and nobody else changes.\n"
    found = [(hit.line, hit.found) for hit in language.findings(Path("CHANGELOG.md"), text)]
    assert found == [(2, "nobody")]


def test_the_files_are_those_of_the_repository() -> None:
    found = {path.as_posix() for path in language.files()}
    assert {"Makefile", "README.md", "pyproject.toml", "tests/conftest.py"} <= found
    assert not any(path.startswith((".venv/", "node_modules/")) for path in found)
    assert {p.as_posix() for p in language.files([Path(__file__).parent])} < found


def test_every_text_is_plain_english() -> None:
    found = [
        str(finding)
        for path in language.files()
        for finding in language.findings(path, (language.ROOT / path).read_text(encoding="utf-8"))
    ]
    if found:
        pytest.fail("\n".join(found), pytrace=False)
