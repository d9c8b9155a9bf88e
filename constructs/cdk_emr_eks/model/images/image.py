"""Custom images: what is added to EMR's images, for which processors, and how they are built."""

from __future__ import annotations

import re
from dataclasses import field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from cdk_emr_eks import versions
from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.images.dockerfile import dockerfile_problems
from cdk_emr_eks.model.images.emr_images import PUBLIC_IMAGES, ImageKind
from cdk_emr_eks.model.images.image_uri import base_uri
from cdk_emr_eks.releases import release_label
from cdk_emr_eks.values import value

# CloudFormation waits at most 12 hours, and waits longer than the build.
_MAX_TIMEOUT: Final = timedelta(hours=8)

_REQUIREMENT: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*"  # name
    r"(\[[A-Za-z0-9._, -]+\])?"  # extras
    r" ?== ?[A-Za-z0-9][A-Za-z0-9.!+_-]*"  # version
    r"( ?; ?[A-Za-z0-9_.,'\"<>=!~() -]+?)?"  # environment marker
    r"( +--hash=sha256:[0-9a-f]{64})*"
)


class BuilderSize(StrEnum):
    """Machines that images are built on.

    Source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-compute-types.html
    """

    SMALL = "BUILD_GENERAL1_SMALL"
    MEDIUM = "BUILD_GENERAL1_MEDIUM"
    LARGE = "BUILD_GENERAL1_LARGE"


@value
class ImageBuilder:
    """The build machines of an image, one for each architecture.

    Args:
        size: Size of a machine. ``MEDIUM`` has 4 vCPU and up to 8 GiB.
        timeout: Time-out of one build, 5 minutes to 8 hours, in whole minutes.

    Raises:
        ConfigError: If the time-out is out of bounds.
    """

    size: BuilderSize = BuilderSize.MEDIUM
    timeout: timedelta = timedelta(minutes=45)

    def _rules(self, check: Check) -> None:
        rule = "must be 5 minutes to 8 hours, in whole minutes"
        fits = timedelta(minutes=5) <= self.timeout <= _MAX_TIMEOUT
        whole = not self.timeout % timedelta(minutes=1)
        check.require(fits and whole, "timeout", rule, self.timeout)


@value
class ImageStore:
    """Retention of the images in the repository.

    Args:
        images: Number of newest builds that the repository keeps; 2 to 100. Default 10.
        retain: Whether repository and images are kept when the stack is deleted. Default False.

    Raises:
        ConfigError: If the number is out of bounds.
    """

    images: int = 10
    retain: bool = False

    def _rules(self, check: Check) -> None:
        # With one image, the rollback of a deployment would lack the previous image.
        check.between("images", 2, 100)


@value(kind="Image")
class ImageSpec:
    """An image built from EMR's: with a Dockerfile, or with Python requirements and jars.

    A Dockerfile begins with ``ARG BASE_IMAGE`` and ``FROM ${BASE_IMAGE}`` and ends with
    ``USER hadoop:hadoop``. EMR mounts volumes over ``/tmp``, ``/mnt``, ``/home/hadoop``,
    ``/var/log/fluentd`` and ``/var/log/spark``, which hide files of the image there.

    Args:
        name: Name, a DNS label.
        kind: Which of EMR's images it is built from. None: that of the construct, which is Spark's
            for ``SparkImage`` and the PySpark kernel's for ``NotebookImage``.
        directory: Directory with a ``Dockerfile`` and the files that it copies. ``.dockerignore``
            is respected, and ``.git`` is ignored. None: requirements and jars are given instead.
        requirements: Python requirements, each ``name==version``, or a requirements file of such.
        jars: Jar files for the class path of drivers and executors.
        release_label: EMR release of the image that it is built from.
        base: URI of the image to build from, such as EMR's by digest, or a custom image based on
            EMR's; at most 200 characters. None: EMR's of the release.
        architectures: Processors it is for: those of the workloads that use it. None: arm64 and
            amd64; for kernels of notebooks only amd64, which EMR's endpoints need.
        revision: Any text. A change rebuilds the image, for example for security updates of a base
            with the tag ``latest``.
        builder: Build machines.
        store: Retention of images.

    Raises:
        ConfigError: If a name, release or URI is wrong, a file is missing, EMR could not run the
            image of the Dockerfile, a requirement is not exact, or nothing is added.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/docker-custom-images-steps.html
    """

    name: str
    kind: ImageKind | None = None
    directory: Path | None = None
    requirements: tuple[str, ...] | Path = ()
    jars: tuple[Path, ...] = ()
    release_label: str = versions.EMR_RELEASE
    base: str | None = None
    architectures: tuple[Architecture, ...] | None = None
    revision: str = ""
    builder: ImageBuilder = field(default_factory=ImageBuilder)
    store: ImageStore = field(default_factory=ImageStore)

    def _rules(self, check: Check) -> None:
        check.dns_label("name")
        check.add(self._release_problems())
        check.passes("base", base_uri)
        check.add(self._architecture_problems())
        check.add(self._content_problems())

    def with_kind(self, *kinds: ImageKind) -> ImageSpec:
        """Return the spec with a kind: its own, or the first of ``kinds``.

        Raises:
            ConfigError: If its kind is not one of ``kinds``, or does not support its architectures.
        """
        check = Check(self)
        rule = f"must be one of {', '.join(kinds)} here"
        check.require(self.kind in (None, *kinds), "kind", rule, self.kind)
        check.raise_if_any()
        return replace(self, kind=self.kind or kinds[0])

    def resolved_kind(self) -> ImageKind:
        """Return the kind, with its default applied."""
        return self.kind or ImageKind.SPARK

    def resolved_architectures(self) -> tuple[Architecture, ...]:
        """Return the architectures, with their default applied, in a fixed order."""
        if self.architectures is not None:
            return tuple(sorted(set(self.architectures)))
        if self.resolved_kind() is ImageKind.SPARK:
            return tuple(sorted(Architecture))
        return (Architecture.AMD64,)

    def requirement_lines(self) -> tuple[str, ...]:
        """Return the Python requirements, read from their file if one is given."""
        if isinstance(self.requirements, Path):
            return read_requirements(self.requirements)
        return self.requirements

    def _release_problems(self) -> tuple[ConfigProblem, ...]:
        if self.base is not None:
            return release_label("release_label", self.release_label)
        return PUBLIC_IMAGES.problems(self.release_label, fix="give base")

    def _architecture_problems(self) -> tuple[ConfigProblem, ...]:
        given = self.architectures
        if given == ():
            return (ConfigProblem(field="architectures", rule="must name at least one", got=given),)
        notebook = self.resolved_kind() is not ImageKind.SPARK
        if given and notebook and Architecture.ARM64 in given:
            # https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/how-it-works.html
            rule = "must be amd64 for notebooks: EMR's managed endpoints do not run on arm64"
            return (ConfigProblem(field="architectures", rule=rule, got=", ".join(given)),)
        return ()

    def _content_problems(self) -> tuple[ConfigProblem, ...]:
        extras = bool(self.requirements) or bool(self.jars)
        if extras == (self.directory is not None):
            rule = "must be given, or else requirements or jars"
            both = "both" if extras else None
            return (ConfigProblem(field="directory", rule=rule, got=both),)
        if self.directory is not None:
            path = self.directory / "Dockerfile"
            if not path.is_file():
                return (
                    ConfigProblem(field="directory", rule="must have a Dockerfile", got=str(path)),
                )
            return dockerfile_problems("directory", path.read_text(encoding="utf-8"))
        return (*self._requirement_problems(), *self._jar_problems())

    def _requirement_problems(self) -> tuple[ConfigProblem, ...]:
        path = self.requirements
        if isinstance(path, Path) and not path.is_file():
            return (ConfigProblem(field="requirements", rule="must be a file", got=str(path)),)
        lines = self.requirement_lines()
        if isinstance(path, Path) and not lines:
            return (ConfigProblem(field="requirements", rule="must not be empty", got=str(path)),)
        return requirement_problems("requirements", lines)

    def _jar_problems(self) -> tuple[ConfigProblem, ...]:
        problems = [
            ConfigProblem(field="jars", rule="must be .jar files", got=str(path))
            for path in self.jars
            if path.suffix != ".jar" or not path.is_file()
        ]
        names = [path.name for path in self.jars]
        twice = sorted({name for name in names if names.count(name) > 1})
        rule = "must have different names"
        problems += [ConfigProblem(field="jars", rule=rule, got=name) for name in twice]
        return tuple(problems)


def read_requirements(path: Path) -> tuple[str, ...]:
    """Return the lines of a requirements file, without comments and with continuations joined."""
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    lines = re.sub(r"[ \t]*\\\n[ \t]*", " ", text).splitlines()
    bare = (re.sub(r"(^|\s)#.*", "", line).strip() for line in lines)
    return tuple(line for line in bare if line)


def requirement_problems(field: str, lines: tuple[str, ...]) -> tuple[ConfigProblem, ...]:
    """Check requirements: each ``name==version``, optionally with extras, a marker and hashes.

    Each architecture has a separate build: with a range, a driver and its executors could get
    different versions. Options such as ``--index-url`` and URLs of archives are refused, since pip
    would run code from another origin than the list shows.

    Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/
    """
    rule = "must be NAME==VERSION, with no options but --hash=sha256:"
    fix = "uv pip compile writes exact versions"
    problems = [
        ConfigProblem(field=field, rule=rule, got=line, fix=fix)
        for line in lines
        if not _REQUIREMENT.fullmatch(line)
    ]
    # With markers a name may be repeated, since only one of the markers applies in the image.
    names = [_name(line) for line in lines if ";" not in line]
    rule = "must name a package once, or pip fails the build"
    problems += [
        ConfigProblem(field=field, rule=rule, got=name)
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    return tuple(problems)


def _name(line: str) -> str:
    """Return the normalized name of a requirement's package."""
    return re.sub(r"[-_.]+", "-", re.split(r"[=\[ ]", line)[0]).lower()
