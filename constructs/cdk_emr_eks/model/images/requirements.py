"""Python requirements of an image: exact versions, and no options that pip would follow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from cdk_emr_eks.errors import ConfigProblem

_REQUIREMENT: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*"  # name
    r"(\[[A-Za-z0-9._, -]+\])?"  # extras
    r" ?== ?[A-Za-z0-9][A-Za-z0-9.!+_-]*"  # version
    r"( ?; ?[A-Za-z0-9_.,'\"<>=!~() -]+?)?"  # environment marker
    r"( +--hash=sha256:[0-9a-f]{64})*"
)


def read_requirements(path: Path) -> tuple[str, ...]:
    """Return the lines of a requirements file, joined where a backslash continues them."""
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    lines = re.sub(r"[ \t]*\\\n[ \t]*", " ", text).splitlines()
    bare = (re.sub(r"(^|\s)#.*", "", line).strip() for line in lines)
    return tuple(line for line in bare if line)


def requirement_problems(field: str, lines: tuple[str, ...]) -> tuple[ConfigProblem, ...]:
    """Check requirements: ``name==version`` each, with extras, a marker and hashes if need be.

    Both architectures are built apart from each other: with a range, a driver and its executors
    could get different versions. Options such as ``--index-url`` and addresses of archives are
    refused, since they would have pip run code of another origin than what the list says.

    Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/
    """
    rule = "must be NAME==VERSION, with no options but --hash=sha256:"
    fix = "uv pip compile writes exact versions"
    problems = [
        ConfigProblem(field=field, rule=rule, got=line, fix=fix)
        for line in lines
        if not _REQUIREMENT.fullmatch(line)
    ]
    # With markers, of which only one may hold in the image, a name may be there more than once.
    names = [_name(line) for line in lines if ";" not in line]
    rule = "must name a package once, or pip fails the build"
    problems += [
        ConfigProblem(field=field, rule=rule, got=name)
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    return tuple(problems)


def _name(line: str) -> str:
    """Return the name of a requirement's package, as pip compares names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[=\[ ]", line, maxsplit=1)[0]).lower()
