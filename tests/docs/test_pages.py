"""Every page says what is: code runs, output is what is printed, links lead somewhere."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from dataclasses import is_dataclass
from importlib.util import find_spec
from inspect import isclass, signature
from pathlib import Path
from typing import Final

import click
import pytest

import cdk_emr_eks
from cdk_emr_eks.cli import main
from tests.docs.blocks import (
    DOCS,
    LANGUAGES,
    PAGES,
    ROOT,
    commands,
    languages,
    page_id,
    prose,
    run,
    unlike,
)

_LINK: Final = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_TARGET: Final = re.compile(r"^(?P<name>[a-z-]+):", re.MULTILINE)
_IDENTIFIER: Final = re.compile(r"^::: cdk_emr_eks\.(?!testing$)(?P<name>\w+)$", re.MULTILINE)
_CALL: Final = re.compile(r"`(?P<name>[A-Z]\w+)\((?P<arguments>[^`]+)\)`")
_EVERY_PAGE: Final = pytest.mark.parametrize("page", PAGES, ids=page_id)


@_EVERY_PAGE
def test_code_blocks_run_and_print_what_is_shown(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(page, tmp_path)


@_EVERY_PAGE
def test_code_blocks_are_in_a_language_that_is_checked(page: Path) -> None:
    assert set(languages(page)) <= set(LANGUAGES)


@_EVERY_PAGE
def test_commands_exist(page: Path) -> None:
    targets = _TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8"))
    for words in filter(None, commands(page)):
        if words[0] == "make":
            assert words[1] in targets
        if words[0] == "emr-eks":
            command = main.get_command(click.Context(main), words[1])
            assert command is not None, words
            options = {name for parameter in command.params for name in parameter.opts}
            assert {word for word in words[2:] if word.startswith("--")} <= options


@_EVERY_PAGE
def test_options_that_the_text_names_exist(page: Path) -> None:
    unknown = []
    for call in _CALL.finditer(prose(page)):
        if call["name"] in cdk_emr_eks.__all__:
            named = getattr(cdk_emr_eks, call["name"])
            # The CDK's metaclass hides what a construct takes.
            hidden = isclass(named) and not is_dataclass(named)
            known = signature(named.__init__ if hidden else named).parameters
            given = re.findall(r"(?<![\w.'])([a-z]\w*)=", re.sub(r"\(.*\)", "", call["arguments"]))
            unknown += [f"{call['name']}.{name}" for name in given if name not in known]
    assert not unknown


def test_commands_are_found_in_text_and_in_blocks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    text = "Run `emr-eks\ndiff a`, not `make`.\n\n```bash\nmake synth  # first\n```\n\n`make x`\n"
    page.write_text(text, encoding="utf-8")
    assert list(commands(page)) == [["make", "synth"], ["emr-eks", "diff", "a"], ["make", "x"]]


@_EVERY_PAGE
def test_links_to_files_resolve(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in _LINK.findall(text):
        if not target.startswith(("https://", "#")):
            path = target.partition("#")[0]
            found = page.parent / path
            # A page of the site leads to pages; only on the repository's own a folder is one, too.
            assert found.is_file() or (found.is_dir() and DOCS not in page.parents), target


def test_the_public_api_is_in_the_reference_once() -> None:
    named = [
        name
        for page in sorted((DOCS / "reference").glob("*.md"))
        for name in _IDENTIFIER.findall(page.read_text(encoding="utf-8"))
    ]
    assert sorted(named) == sorted(cdk_emr_eks.__all__)


def test_every_command_is_in_the_reference() -> None:
    page = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `emr-eks ([a-z-]+)", page, re.MULTILINE)) == set(
        main.list_commands(click.Context(main))
    )


def test_a_wrong_output_is_noticed() -> None:
    assert not unlike("a\n...\nd\n", "a\nb\nc\nd\n")
    assert not unlike("...\n", "")
    assert unlike("a\n...\ne\n", "a\nb\nc\nd\n")
    assert unlike("a\n", "a\nb\n")
    assert unlike("", "a\n")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("```python\nprint(1)\n```\n", id="output that is not shown"),
        pytest.param("```python\nprint(1)\n```\n\n```text\n2\n```\n", id="another output"),
        pytest.param("```python\nx = 1\n```\n\n```text\n1\n```\n", id="no output"),
        pytest.param("```console\n$ emr-eks plan none\n...\n```\n", id="a command that fails"),
        pytest.param("```console\n$ rm -r none\n```\n", id="a command that may not run"),
    ],
)
def test_a_wrong_page_is_noticed(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(AssertionError):
        run(page, tmp_path)


@pytest.mark.skipif(find_spec("mkdocs") is None, reason="the group 'docs' is not installed")
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "security" / "index.html").is_file()
    # Values have their constructors, which tools/griffe_values.py adds.
    page = (tmp_path / "reference" / "workloads" / "index.html").read_text(encoding="utf-8")
    words = " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())
    assert "NodePoolLimits(*, cpu: Cpu, memory: Memory)" in words
