"""The build specification of images, run for real by bash with commands that only pretend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

import cdk_emr_eks
from cdk_emr_eks.images.pipeline import buildspec

REPOSITORY: Final = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/emr-eks/science/0a0a0a0a"
BASE: Final = "public.ecr.aws/emr-on-eks/spark/emr-7.14.0:latest"
TAG: Final = "0123456789abcdef0123456789abcdef"
SHELLCHECK: Final = Path(sys.executable).parent / "shellcheck"
PREFIX: Final = """\
#!/bin/bash
printf '%s\\n' "$(basename "$0") $*" >>"$FAKE/calls"
if [[ -n ${FAILING:-} && "$(basename "$0") $*" == "$FAILING"* ]]; then
  printf '%b\\n' "${MESSAGE:-it broke}" >&2
  exit 7
fi
"""
# The repository is a file with a line of tag and digest for each image.
AWS: Final = """\
if [[ $* == *list-images* ]]; then
  all=$* && tag=${all#*imageTag==\\'}
  awk -v tag="${tag%%\\'*}" '$1 == tag { print $2 }' "$FAKE/images"
else
  echo password
fi
"""
DOCKER: Final = """\
add() { # tag
  if grep -q "^$1 " "$FAKE/images"; then
    echo "tag invalid: The image tag '$1' already exists and cannot be overwritten" >&2
    exit 1
  fi
  echo "$1 sha256:$(printf '%s' "$1" | sha256sum | cut -d' ' -f1)" >>"$FAKE/images"
}
case "$1 $2" in
  login*) [[ $(cat) == password ]] ;;
  push*) add "${2##*:}" ;;
  "buildx imagetools") tag=${5##*:} && add "${FORGETS:-}$tag" ;;
  "image inspect")
    [[ $5 == */emr-eks/* ]] || unset USER_OF_IMAGE
    echo "${USER_OF_IMAGE:-hadoop:hadoop}"
    ;;
esac
"""
CURL: Final = """\
while (($#)); do
  [[ $1 == --data-binary ]] && printf '%s\\n' "$2" >>"$FAKE/signals"
  shift
done
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What a step did.

    Attributes:
        status: Exit status, which CodeBuild takes for the build's.
        calls: Commands, in order.
        signals: Signals that CloudFormation received.
    """

    status: int
    calls: tuple[str, ...]
    signals: tuple[Mapping[str, str], ...]


def digest(tag: str) -> str:
    return f"sha256:{sha256(tag.encode()).hexdigest()}"


class CodeBuild:
    """Runs steps as CodeBuild does: the one command of the specification, by bash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        commands = folder / "bin"
        commands.mkdir()
        for name, body in {"aws": AWS, "docker": DOCKER, "curl": CURL}.items():
            (commands / name).write_text(PREFIX + body)
            (commands / name).chmod(0o755)
        (folder / "images").touch()

    def images(self) -> list[str]:
        """Tags in the repository."""
        return [line.split()[0] for line in (self.folder / "images").read_text().splitlines()]

    def run(self, step: str, architecture: str = "amd64", **extra: str) -> Run:
        """Run one step."""
        for name in ("calls", "signals"):
            (self.folder / name).write_text("")
        specification = json.loads(buildspec())
        assert specification["env"] == {"shell": "bash"}
        (command,) = specification["phases"]["build"]["commands"]
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "FAKE": str(self.folder),
            "TMPDIR": str(self.folder),
            "AWS_REGION": "eu-west-1",
            "CODEBUILD_BUILD_ID": "science-amd64:1234",
            "STEP": step,
            "ARCHITECTURE": architecture,
            "ARCHITECTURES": "amd64 arm64",
            "REPOSITORY": REPOSITORY,
            "TAG": TAG,
            "BASE_IMAGE": BASE,
            "SIGNAL_URL": "https://example.com/?a=1&b=%2F",
        }
        done = subprocess.run(
            ["bash", "-c", command],
            env=environment | extra,
            cwd=self.folder,
            capture_output=True,
            check=False,
        )
        calls = (self.folder / "calls").read_text().splitlines()
        signals = (self.folder / "signals").read_text().splitlines()
        return Run(
            status=done.returncode,
            calls=tuple(calls),
            signals=tuple(json.loads(line) for line in signals),
        )


@pytest.fixture
def codebuild(tmp_path: Path) -> CodeBuild:
    return CodeBuild(tmp_path)


def brief(run: Run) -> list[str]:
    """Calls by their first two words."""
    return [" ".join(call.split()[:3]) for call in run.calls]


def test_a_build_pulls_builds_checks_and_pushes_in_this_order(codebuild: CodeBuild) -> None:
    run = codebuild.run("build", "arm64")
    assert run.status == 0
    assert run.signals == ()
    image = f"{REPOSITORY}:{TAG}-arm64"
    expected = [
        "aws ecr list-images",
        "aws ecr list-images",
        "aws ecr-public get-login-password --region us-east-1",
        "docker login --username AWS --password-stdin public.ecr.aws",
        f"docker pull {BASE}",
        f"docker build --build-arg BASE_IMAGE={BASE} --tag {image} .",
        f"docker image inspect --format {{{{.Config.User}}}} {image}",
        f"docker image inspect --format {{{{.Config.User}}}} {BASE}",
        "aws ecr get-login-password --region eu-west-1",
        f"docker login --username AWS --password-stdin {REPOSITORY.partition('/')[0]}",
        f"docker push {image}",
    ]
    # Both ends of a pipe start at once.
    shown = [call if "list-images" not in call else "aws ecr list-images" for call in run.calls]
    assert sorted(shown) == sorted(expected)
    steps = [call for call in shown if call.split()[1] in ("pull", "build", "image", "push")]
    assert steps == [call for call in expected if call in steps]
    assert codebuild.images() == [f"{TAG}-arm64"]


def test_architectures_are_joined_and_the_digest_is_signalled(
    codebuild: CodeBuild,
) -> None:
    for architecture in ("amd64", "arm64"):
        codebuild.run("build", architecture)
    run = codebuild.run("join")
    assert run.status == 0
    (join,) = (call for call in run.calls if "imagetools" in call)
    sources = f"{REPOSITORY}:{TAG}-amd64 {REPOSITORY}:{TAG}-arm64"
    assert join == f"docker buildx imagetools create --tag {REPOSITORY}:{TAG} {sources}"
    (signal,) = run.signals
    assert (signal["Status"], signal["Data"]) == ("SUCCESS", digest(TAG))
    (curl,) = (call for call in run.calls if call.startswith("curl"))
    assert "--request PUT --header Content-Type: " in curl
    assert curl.endswith(" https://example.com/?a=1&b=%2F")


def test_the_template_finds_the_digest_in_what_cloudformation_makes_of_it(
    codebuild: CodeBuild,
) -> None:
    codebuild.run("build")
    (signal,) = codebuild.run("join", ARCHITECTURES="amd64").signals
    data = {signal["UniqueId"]: signal["Data"]}
    for text in (
        json.dumps(data),
        json.dumps(data, separators=(",", ":")),
        json.dumps(data, indent=1),
    ):
        assert text.split('"')[3] == digest(TAG)


def test_what_is_there_is_not_built_again(codebuild: CodeBuild) -> None:
    codebuild.run("build")
    again = codebuild.run("build")
    assert (again.status, brief(again)) == (0, ["aws ecr list-images"] * 2)
    codebuild.run("build", "arm64")
    first, second = codebuild.run("join"), codebuild.run("join")
    assert second.signals == first.signals
    assert brief(second)[0] == "aws ecr list-images"
    assert not any("imagetools" in call for call in second.calls)
    # Of the joined image alone, too: a lifecycle rule may have taken the others first.
    (codebuild.folder / "images").write_text(f"{TAG} {digest(TAG)}\n")
    assert brief(codebuild.run("build")) == ["aws ecr list-images"] * 2


@pytest.mark.parametrize(
    ("step", "failing", "what"),
    [
        ("build", "aws ecr list-images", "look-up of images failed"),
        (
            "build",
            "aws ecr-public",
            "login to the registry of the base image failed",
        ),
        ("build", "docker pull", "pull of the base image failed"),
        ("build", "docker build", "docker build failed"),
        ("build", "docker image inspect", "check of the user failed"),
        ("build", "aws ecr get-login-password", "login to the repository failed"),
        ("build", "docker push", "docker push failed"),
        ("join", "aws ecr list-images", "look-up of images failed"),
        ("join", "docker login", "login to the repository failed"),
        ("join", "docker buildx imagetools", "join of architectures failed"),
    ],
)
def test_a_failure_is_signalled_with_its_reason(
    codebuild: CodeBuild, step: str, failing: str, what: str
) -> None:
    run = codebuild.run(step, FAILING=failing, MESSAGE="no such thing")
    assert run.status != 0
    (signal,) = run.signals
    assert signal["Status"] == "FAILURE"
    assert signal["Reason"].startswith(f"{what} (amd64, build science-amd64:1234): ")
    assert "no such thing" in signal["Reason"]
    assert signal["UniqueId"] == f"{step}-amd64"


def test_a_reason_is_text_that_json_can_hold_and_short(codebuild: CodeBuild) -> None:
    message = 'ERROR: "x" \\\\ ${HOME} `id`\\n\\ttab ' + "long " * 400 + "the end"
    (signal,) = codebuild.run("build", FAILING="docker build", MESSAGE=message).signals
    assert signal["Reason"].endswith("the end ")
    assert len(signal["Reason"]) < 600


def test_an_image_of_another_user_than_the_base_s_is_not_pushed(codebuild: CodeBuild) -> None:
    run = codebuild.run("build", USER_OF_IMAGE="root")
    assert run.status != 0
    assert "runs as user root, its base as hadoop:hadoop" in run.signals[0]["Reason"]
    assert codebuild.images() == []


def test_a_tag_that_does_not_appear_is_a_failure(codebuild: CodeBuild) -> None:
    run = codebuild.run("join", FORGETS="other-")
    assert run.status != 0
    assert run.signals[0]["Reason"].startswith("look-up of the digest failed")


def test_an_expired_signal_does_not_fail_a_pipeline_that_runs_again(codebuild: CodeBuild) -> None:
    codebuild.run("build")
    codebuild.run("join", ARCHITECTURES="amd64")
    run = codebuild.run("join", ARCHITECTURES="amd64", FAILING="curl")
    assert (run.status, run.signals) == (0, ())


@pytest.mark.parametrize(
    ("base", "logins"),
    [
        (
            "999988887777.dkr.ecr.us-west-2.amazonaws.com/spark/emr-7.14.0:latest",
            ["aws ecr get-login-password --region us-west-2"],
        ),
        (
            "068337069695.dkr.ecr.cn-north-1.amazonaws.com.cn/spark/emr-7.14.0:latest",
            ["aws ecr get-login-password --region cn-north-1"],
        ),
        ("ghcr.io/team/spark:1", []),
    ],
)
def test_registries_of_bases(codebuild: CodeBuild, base: str, logins: list[str]) -> None:
    run = codebuild.run("build", BASE_IMAGE=base)
    assert run.status == 0
    own = "aws ecr get-login-password --region eu-west-1"
    assert [call for call in run.calls if "password --region" in call] == [*logins, own]


@pytest.mark.parametrize("missing", ["STEP", "TAG", "REPOSITORY", "BASE_IMAGE", "ARCHITECTURES"])
def test_nothing_runs_without_what_it_needs(codebuild: CodeBuild, missing: str) -> None:
    run = codebuild.run("build", **{missing: ""})
    assert run.status != 0
    assert run.calls == ()


def test_an_unknown_step_fails(codebuild: CodeBuild) -> None:
    assert codebuild.run("push").status == 2


def test_shellcheck_finds_nothing() -> None:
    script = Path(cdk_emr_eks.__path__[0]) / "images" / "build.sh"
    done = subprocess.run(
        [SHELLCHECK, "--enable=all", "--exclude=SC2250,SC2310,SC2312", str(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
    assert done.returncode == 0
