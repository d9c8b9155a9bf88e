"""Dockerfiles of images for EMR: checks of given ones, and the generated one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.errors import ConfigProblem

# User of EMR's images. A job runs as the user of its image, even as root.
# Source:
# https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/docker-custom-images-considerations.html
USER: Final = "hadoop:hadoop"

BASE_ARGUMENT: Final = "BASE_IMAGE"
REQUIREMENTS: Final = "requirements.txt"
JARS: Final = "jars"

_HEREDOC: Final = re.compile(r"(?<!<)<<(?!<)-?[\"']?(\w+)[\"']?")
_BASES: Final = frozenset({f"${BASE_ARGUMENT}", f"${{{BASE_ARGUMENT}}}"})


@dataclass(kw_only=True, slots=True)
class _BuildStage:
    name: str
    base: str
    user: str | None = None


def derived_dockerfile(*, requirements: bool, jars: bool) -> str:
    """Return the Dockerfile of an image that is given by requirements and jars."""
    lines = [f"ARG {BASE_ARGUMENT}", f"FROM ${{{BASE_ARGUMENT}}}", "USER root"]
    if requirements:
        # Not under /tmp or /home/hadoop: EMR mounts volumes there.
        lines.append(f"COPY {REQUIREMENTS} /opt/emr-eks/{REQUIREMENTS}")
        lines.append(f"RUN pip3 install --no-cache-dir --requirement /opt/emr-eks/{REQUIREMENTS}")
    if jars:
        # The class path of drivers and executors.
        lines.append(f"COPY {JARS}/ /usr/lib/spark/jars/")
    return "\n".join([*lines, f"USER {USER}", ""])


def dockerfile_problems(field: str, text: str) -> tuple[ConfigProblem, ...]:
    """Check that a Dockerfile builds from the base image, and ends with EMR's user."""
    stages, declared = _stages(text)
    lineage = list(_lineage(stages))
    problems = []
    if not declared or not lineage or lineage[-1].base not in _BASES:
        rule = f"must have 'ARG {BASE_ARGUMENT}' before the first FROM, and build upon it"
        fix = f"write 'FROM ${{{BASE_ARGUMENT}}}' for the last stage"
        got = lineage[-1].base if lineage else ""
        problems.append(ConfigProblem(field=field, rule=rule, got=f"FROM {got}", fix=fix))
    user = next((stage.user for stage in lineage if stage.user is not None), USER)
    if user != USER:
        rule = f"must end with 'USER {USER}', or jobs would run as another user"
        problems.append(ConfigProblem(field=field, rule=rule, got=f"USER {user}"))
    return tuple(problems)


def _lineage(stages: list[_BuildStage]) -> Iterator[_BuildStage]:
    """Yield the last stage, then the stage that it is based on, and so on."""
    while stages:
        stage = stages[-1]
        yield stage
        earlier = stages[:-1]
        named = [index for index, each in enumerate(earlier) if each.name == stage.base.lower()]
        stages = earlier[: named[-1] + 1] if named else []


def _stages(text: str) -> tuple[list[_BuildStage], bool]:
    stages: list[_BuildStage] = []
    declared = False
    for word, rest in _instructions(text):
        if word == "ARG" and not stages and rest.partition("=")[0].strip() == BASE_ARGUMENT:
            declared = True
        elif word == "FROM":
            parts = [part for part in rest.split() if not part.startswith("--")]
            name = parts[2].lower() if len(parts) == 3 else ""
            stages.append(_BuildStage(name=name, base=parts[0] if parts else ""))
        elif word == "USER" and stages:
            stages[-1].user = rest
    return stages, declared


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield instructions with their arguments: lines joined, without comments and heredocs."""
    lines = iter(text.replace("\r\n", "\n").splitlines())
    for line in lines:
        joined = line.strip()
        if not joined or joined.startswith("#"):
            continue
        while joined.endswith("\\"):
            more = next(lines, "").strip()
            # A comment between the lines of an instruction does not belong to it.
            joined = joined if more.startswith("#") else joined[:-1].rstrip() + " " + more
        word, _, rest = joined.partition(" ")
        if word.upper() in ("RUN", "COPY", "ADD"):
            for end in _HEREDOC.findall(rest):
                while next(lines, end).strip() != end:
                    pass
        yield word.upper(), rest.strip()
