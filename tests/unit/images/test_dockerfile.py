"""Dockerfiles build from the given base image and end with EMR's user."""

from __future__ import annotations

import pytest

from cdk_emr_eks.model.images.dockerfile import derived_dockerfile, dockerfile_problems

HEAD = "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n"
GOOD = {
    "nothing but the base": HEAD,
    "as in EMR's guide": HEAD + "USER root\nRUN pip3 install a==1\nUSER hadoop:hadoop\n",
    "with a default": "ARG BASE_IMAGE=public.ecr.aws/x/y:1\nFROM $BASE_IMAGE\n",
    "for a platform": "ARG BASE_IMAGE\nFROM --platform=$TARGETPLATFORM $BASE_IMAGE AS last\n",
    "a second stage": "ARG BASE_IMAGE\nFROM golang:1 AS build\nUSER root\n"
    "FROM ${BASE_IMAGE}\nCOPY --from=build /a /opt/a\n",
    "stages upon each other": "ARG BASE_IMAGE\nFROM ${BASE_IMAGE} AS Tools\nUSER root\n"
    "FROM tools\nUSER hadoop:hadoop\n",
    "a stage between": "ARG BASE_IMAGE\nFROM ${BASE_IMAGE} AS tools\nFROM golang:1 AS build\n"
    "USER root\nFROM tools\nCOPY --from=build /a /opt/a\n",
    "in small letters": "arg BASE_IMAGE\nfrom ${BASE_IMAGE}\nuser root\nuser hadoop:hadoop\n",
    "lines that go on": HEAD + "USER root\nRUN a \\\n  # and\n  && b\nUSER \\\n  hadoop:hadoop\n",
    "a backslash right after the base": "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\\\n  AS last\n",
    "a script that names users": HEAD + "USER root\nRUN <<EOF\nUSER other\nFROM x\nEOF\n"
    "USER hadoop:hadoop\n",
    "a string for a command": HEAD + 'USER root\nRUN cat <<<"text"\nUSER hadoop:hadoop\n',
    "comments": "# syntax=docker/dockerfile:1\n" + HEAD + "# USER root\n",
    "line ends of Windows": (HEAD + "USER root\nUSER hadoop:hadoop\n").replace("\n", "\r\n"),
}
BASE = "must have 'ARG BASE_IMAGE'"
USER = "must end with 'USER hadoop:hadoop'"
BAD = {
    "empty": ("", [BASE]),
    "another base": ("FROM public.ecr.aws/x/y:1\n", [BASE]),
    "no argument": ("FROM ${BASE_IMAGE}\n", [BASE]),
    "an argument too late": ("FROM ${BASE_IMAGE}\nARG BASE_IMAGE\n", [BASE]),
    "the base in another stage": (HEAD + "FROM alpine:3\n", [BASE]),
    "a stage without the base": (
        "ARG BASE_IMAGE\nFROM golang:1 AS build\nFROM ${BASE_IMAGE} AS tools\nFROM build\n",
        [BASE],
    ),
    "root": (HEAD + "USER root\n", [USER]),
    "root after a comment that does not go on": (HEAD + "# in C:\\\nUSER root\n", [USER]),
    "hadoop's number": (HEAD + "USER 999:1000\n", [USER]),
    "root after all": (HEAD + "USER hadoop:hadoop\nUSER root\n", [USER]),
    "root inherited": ("ARG BASE_IMAGE\nFROM ${BASE_IMAGE} AS a\nUSER root\nFROM a\n", [USER]),
    "both": ("FROM alpine:3\nUSER root\n", [BASE, USER]),
    "a heredoc that does not end": (HEAD + "USER root\nRUN <<EOF\nUSER hadoop:hadoop\n", [USER]),
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_a_dockerfile_that_emr_can_run(text: str) -> None:
    assert dockerfile_problems("directory", text) == ()


@pytest.mark.parametrize(("text", "rules"), BAD.values(), ids=BAD)
def test_a_dockerfile_that_emr_cannot_run(text: str, rules: list[str]) -> None:
    found = dockerfile_problems("directory", text)
    assert [problem.rule[: len(rule)] for problem, rule in zip(found, rules, strict=True)] == rules


@pytest.mark.parametrize("requirements", [True, False])
@pytest.mark.parametrize("jars", [True, False])
def test_the_generated_dockerfile_passes_the_checks(requirements: bool, jars: bool) -> None:
    text = derived_dockerfile(requirements=requirements, jars=jars)
    assert dockerfile_problems("directory", text) == ()


# EMR mounts volumes over these folders and hides what the image has there.
MOUNTED = ("/tmp", "/mnt", "/home/hadoop", "/var/log/fluentd", "/var/log/spark")


def built(text: str) -> tuple[dict[str, str], list[str]]:
    """Follow a Dockerfile: sources by their path in the image, and what root runs."""
    copied: dict[str, str] = {}
    runs: list[str] = []
    user = ""
    for line in text.splitlines():
        match line.split():
            case ["COPY", source, target]:
                copied[target] = source
            case ["RUN", *command]:
                assert user == "root", "hadoop may not write to the system's folders"
                runs.append(" ".join(command))
            case ["USER", name]:
                user = name
    return copied, runs


def test_the_generated_image_has_jars_on_the_class_path_and_installs_requirements() -> None:
    copied, runs = built(derived_dockerfile(requirements=True, jars=True))
    assert copied["/usr/lib/spark/jars/"] == "jars/"
    (file,) = [target for target, source in copied.items() if source == "requirements.txt"]
    (install,) = runs
    assert install.startswith("pip3 install --no-cache-dir ")
    assert install.endswith(f" --requirement {file}")
    assert not [target for target in copied if target.startswith(MOUNTED)]


@pytest.mark.parametrize(
    ("requirements", "jars", "sources", "commands"),
    [(True, False, {"requirements.txt"}, 1), (False, True, {"jars/"}, 0), (False, False, set(), 0)],
)
def test_the_generated_image_has_only_what_is_given(
    requirements: bool, jars: bool, sources: set[str], commands: int
) -> None:
    copied, runs = built(derived_dockerfile(requirements=requirements, jars=jars))
    assert set(copied.values()) == sources
    assert len(runs) == commands
