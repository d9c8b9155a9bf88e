"""Hosted CI, its forms and the hooks name commands, files and folders that exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml

from cdk_emr_eks.cli import main

ROOT: Final = Path(__file__).parent.parent
OURS: Final = tuple(sorted((ROOT / ".github" / "workflows").glob("*.yml")))
TO_COPY: Final = ROOT / "examples" / "ci" / "github-actions.yml"
TARGETS: Final = frozenset(
    re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
)
EVERY: Final = pytest.mark.parametrize("path", [*OURS, TO_COPY], ids=lambda path: path.name)


# PyPI and GitHub Pages trust a token of the workflow.
MAY_WRITE: Final = {"publish": {"id-token"}, "docs": {"id-token", "pages"}}


def read(path: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    # YAML 1.1 reads the key `on` as true.
    return {"on" if key is True else key: value for key, value in loaded.items()}


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in read(path)["jobs"].values():
        yield from job["steps"]


def commands(path: Path) -> Iterator[list[str]]:
    """Yield the words of each line that a workflow runs."""
    for step in steps(path):
        for line in step.get("run", "").splitlines():
            # An expression of GitHub's is one word, and has spaces.
            yield shlex.split(re.sub(r"\$\{\{.*?\}\}", "X", line), comments=True)


def check_emr_eks(words: list[str]) -> None:
    """Parse the arguments of an ``emr-eks`` command, as the command itself does."""
    end = words.index(">") if ">" in words else len(words)
    name, *arguments = words[1:end]
    # With the settings of the whole command: click keeps the help option that it makes here.
    parent = click.Context(main, **main.context_settings)
    command = main.get_command(parent, name)
    assert command is not None, name
    context = click.Context(command, parent=parent)
    # Stops at an unknown option, a missing argument, or a value that is not a choice.
    command.parse_args(context, arguments)


def test_there_is_a_workflow_for_each_kind_of_test() -> None:
    ran = {words[1] for path in OURS for words in commands(path) if words[:1] == ["make"]}
    assert ran == {"check", "unit", "test-synth", "test-simulation", "release", "docs"}


@EVERY
def test_every_command_exists(path: Path) -> None:
    for words in filter(None, commands(path)):
        if words[0] == "make":
            assert words[1] in TARGETS
        if words[0] == "emr-eks":
            check_emr_eks(words)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("emr-eks synth --outputs cdk.out", click.NoSuchOption),
        ("emr-eks simulate --fail-if bad-weather", click.BadParameter),
        ("emr-eks diff", click.MissingParameter),
        ("emr-eks plot cdk.out", AssertionError),
    ],
)
def test_a_wrong_command_is_noticed(line: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        check_emr_eks(line.split())


@EVERY
def test_jobs_have_few_rights_and_an_end(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 90, name
        granted = {key for key, right in job.get("permissions", {}).items() if right == "write"}
        assert granted == MAY_WRITE.get(name, set()), name
        assert job.get("needs", name) in workflow["jobs"]


@EVERY
def test_actions_are_pinned_to_a_version(path: Path) -> None:
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|release/v\d+|[0-9a-f]{40})", action), action


def test_the_cache_is_that_of_the_simulation() -> None:
    """The key changes with the sources that the programs are built from."""
    for path in (*OURS, TO_COPY):
        for step in steps(path):
            if step.get("uses", "").startswith("actions/cache@"):
                assert step["with"]["path"] == "~/.cache/cdk-emr-eks"
                (pattern,) = re.findall(r"hashFiles\('([^']+)'\)", step["with"]["key"])
                assert path == TO_COPY or list(ROOT.glob(pattern.removesuffix("/**")))


def test_python_versions_are_those_of_the_package() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project)
    unit = read(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["unit"]
    assert unit["strategy"]["matrix"]["python"] == named


def test_dependabot_reads_every_lock() -> None:
    updates = read(ROOT / ".github" / "dependabot.yml")["updates"]
    locks = {"uv": "uv.lock", "npm": "package-lock.json", "gomod": "go.mod"}
    for update in updates:
        lock = locks.get(update["package-ecosystem"])
        for folder in update.get("directories", [update.get("directory")]):
            assert lock is None or list(ROOT.glob(f"{folder.strip('/')}/{lock}".lstrip("/")))
    assert len([update for update in updates if update["package-ecosystem"] == "uv"]) == 2


def test_issue_forms_have_what_github_asks_for() -> None:
    forms = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    for form in map(read, (form for form in forms if form.name != "config.yml")):
        assert {"name", "description", "body"} <= set(form)
        ids = [field["id"] for field in form["body"]]
        assert len(ids) == len(set(ids))
        assert all(field["attributes"]["label"] for field in form["body"])


def test_hooks_run_programs_of_the_environment() -> None:
    (repository,) = read(ROOT / ".pre-commit-config.yaml")["repos"]
    for hook in repository["hooks"]:
        program, argument, *_ = hook["entry"].split()
        assert program in {".venv/bin/ruff", ".venv/bin/python"}
        assert argument in {"format", "check"} or (ROOT / argument).is_file()


def test_the_security_policy_names_the_page_with_the_controls() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https:)([^)]+)\)", text):
        assert (ROOT / target).is_file()
