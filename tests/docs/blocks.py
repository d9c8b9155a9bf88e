"""Runs the code blocks of a page of the documentation, in order, and holds their output to it.

Four languages are known, and a page may have no other, so that no block goes unread:

- ``python`` is run; all blocks of a page share a namespace. What one prints must be shown in
- ``text``, the block after it.
- ``console`` has commands after ``$`` and what they print below: ``emr-eks`` and a few plain ones.
- ``bash`` is not run, since it needs AWS or another folder; see ``commands``.

In shown output a line ``...`` stands for any lines.
"""

from __future__ import annotations

import io
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from inspect import isfunction, signature
from pathlib import Path
from typing import Final, cast
from unittest.mock import patch

import aws_cdk
from click.testing import CliRunner
from sybil import Example, Sybil
from sybil.document import Document
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

from cdk_emr_eks.cli import main
from cdk_emr_eks.testing import TemplateSnapshotExtension

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
PAGES: Final = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md")))
LANGUAGES: Final = ("bash", "console", "python", "text")
PLAIN_COMMANDS: Final = ("cp", "ls", "cat")

_FENCE: Final = re.compile(r"^[ \t]*(?:```|~~~)(?P<info>\S.*)$", re.MULTILINE)
_FENCED: Final = re.compile(r"^[ \t]*```.*?^[ \t]*```", re.MULTILINE | re.DOTALL)
_INLINE: Final = re.compile(r"`(?P<command>(?:make|emr-eks)\s[^`]+)`")
_PROMPT: Final = "$ "
_App: Final = aws_cdk.App


def page_id(page: Path) -> str:
    """Return the path of a page as the documentation names it."""
    return page.relative_to(DOCS if page.is_relative_to(DOCS) else ROOT).as_posix()


def languages(page: Path) -> tuple[str, ...]:
    """Return the language of each code block of a page."""
    return tuple(found["info"] for found in _FENCE.finditer(page.read_text(encoding="utf-8")))


def blocks(page: Path, *wanted: str) -> tuple[str, ...]:
    """Return the text of the blocks in one of these languages."""
    parsers = [CodeBlockParser(language, lambda example: None) for language in wanted]
    return tuple(str(example.parsed) for example in Sybil(parsers).parse(page))


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the commands of a page's blocks and those that its text names, split into words."""
    for block in blocks(page, "bash"):
        for line in block.replace("\\\n", " ").splitlines():
            yield shlex.split(line, comments=True)
    for block in blocks(page, "console"):
        for line in block.splitlines():
            if line.startswith(_PROMPT):
                yield shlex.split(line.removeprefix(_PROMPT))
    for found in _INLINE.finditer(prose(page)):
        yield shlex.split(found["command"])


def prose(page: Path) -> str:
    """Return the text of a page without its code blocks."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def run(page: Path, folder: Path) -> None:
    """Run the blocks of a page; ``folder`` is the current one.

    Raises:
        AssertionError: If a block does not print what the page shows.
    """
    runner = _Runner(folder)
    parsers = [
        CodeBlockParser("python", runner.python),
        CodeBlockParser("text", runner.text),
        CodeBlockParser("console", runner.console),
    ]
    document = Sybil(parsers).parse(page)

    def app(**options: object) -> aws_cdk.App:
        # Node was started before this test and keeps its own folder and environment.
        return _App(**{"outdir": str(folder / "cdk.out"), **options})  # type: ignore[arg-type]

    with patch.object(aws_cdk, "App", app):
        for example in document:
            example.evaluate()
            runner.call_tests(document)
    runner.nothing_unshown("the end of the page")


def unlike(shown: str, printed: str) -> str:
    """Return why printed lines are not those shown, or an empty text."""
    wanted = [line.rstrip() for line in shown.strip("\n").splitlines()]
    got = [line.rstrip() for line in printed.strip("\n").splitlines()]
    if _fits(wanted, got):
        return ""
    return "shown:\n" + "\n".join(wanted) + "\nprinted:\n" + "\n".join(got)


def _fits(wanted: Sequence[str], got: Sequence[str]) -> bool:
    if not wanted:
        return not got
    if wanted[0] == "...":
        return any(_fits(wanted[1:], got[start:]) for start in range(len(got) + 1))
    return bool(got) and wanted[0] == got[0] and _fits(wanted[1:], got[1:])


class _Runner:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._printed = ""
        self._called: set[str] = set()
        self._evaluate: Callable[[Example], None] = PythonEvaluator()

    def python(self, example: Example) -> None:
        self.nothing_unshown(f"line {example.line}")
        output = io.StringIO()
        with redirect_stdout(output):
            self._evaluate(example)
        self._printed = output.getvalue()

    def text(self, example: Example) -> None:
        printed, self._printed = self._printed, ""
        assert printed, f"line {example.line}: nothing printed what this block shows"
        self._compare(example, str(example.parsed), printed)

    def console(self, example: Example) -> None:
        self.nothing_unshown(f"line {example.line}")
        for part in re.split(r"^\$ ", str(example.parsed), flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            self._compare(example, shown, self._command(shlex.split(command)))

    def call_tests(self, document: Document) -> None:
        """Call test functions that a page defines, as pytest would."""
        for name, value in list(document.namespace.items()):
            if name.startswith("test_") and isfunction(value) and name not in self._called:
                self._called.add(name)
                assert list(signature(value).parameters) == ["template_snapshot"]
                value(_AnyTemplate())

    def nothing_unshown(self, where: str) -> None:
        assert not self._printed, f"{where}: the block before prints this:\n{self._printed}"

    def _command(self, words: list[str]) -> str:
        if words[0] == "emr-eks":
            result = CliRunner().invoke(main, words[1:])
            assert result.exit_code == 0, result.output
            # Without stderr, where Node may still be writing what the app before it warned of.
            return result.stdout
        assert words[0] in PLAIN_COMMANDS, f"a console block may not run {words[0]}"
        done = subprocess.run(words, cwd=self._folder, capture_output=True, text=True, check=True)
        return done.stdout

    def _compare(self, example: Example, shown: str, printed: str) -> None:
        difference = unlike(shown, printed)
        assert not difference, f"{example.path}, line {example.line}\n{difference}"


class _AnyTemplate:
    """Stands in for a snapshot that was written: whatever can be one is equal to it."""

    def __eq__(self, other: object) -> bool:
        extension = TemplateSnapshotExtension.__new__(TemplateSnapshotExtension)
        return bool(extension.serialize(cast(Mapping[str, object], other)))

    __hash__ = None  # type: ignore[assignment]
