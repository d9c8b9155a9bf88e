"""Images of one's own: what is added to EMR's, for which processors, and how it is built."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from cdk_emr_eks import versions
from cdk_emr_eks.errors import ConfigProblem, Problems
from cdk_emr_eks.field_types import check_types
from cdk_emr_eks.labels import Architecture
from cdk_emr_eks.model.images.dockerfile import dockerfile_problems
from cdk_emr_eks.model.images.emr_registry import PUBLIC_IMAGES, ImageKind
from cdk_emr_eks.model.images.image_uri import base_uri
from cdk_emr_eks.model.images.requirements import read_requirements, requirement_problems
from cdk_emr_eks.names import dns_label
from cdk_emr_eks.releases import release_label

_MAX_TIMEOUT: Final = timedelta(hours=8)
# CloudFormation waits 12 hours at most, and the wait outlasts the build.


class BuilderSize(StrEnum):
    """Machines that images are built on.

    Source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-compute-types.html
    """

    SMALL = "BUILD_GENERAL1_SMALL"
    MEDIUM = "BUILD_GENERAL1_MEDIUM"
    LARGE = "BUILD_GENERAL1_LARGE"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageBuilder:
    """The machines that build an image, one for each architecture.

    Args:
        size: Size. ``MEDIUM`` has 4 vCPU and up to 8 GiB.
        timeout: Longest that one build may take, 5 minutes to 8 hours, in whole minutes.

    Raises:
        ConfigError: If the timeout is out of bounds.
    """

    size: BuilderSize = BuilderSize.MEDIUM
    timeout: timedelta = timedelta(minutes=45)

    def __post_init__(self) -> None:
        check_types("ImageBuilder", self)
        problems = Problems("ImageBuilder")
        rule = "must be 5 minutes to 8 hours, in whole minutes"
        fits = timedelta(minutes=5) <= self.timeout <= _MAX_TIMEOUT
        whole = not self.timeout % timedelta(minutes=1)
        problems.require(fits and whole, "timeout", rule, str(self.timeout))
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageStore:
    """What the repository of an image keeps.

    Args:
        images: How many builds it keeps, the newest ones; 2 to 100.
        retain: Whether repository and images outlive the stack.

    Raises:
        ConfigError: If the number is out of bounds.
    """

    images: int = 10
    retain: bool = False

    def __post_init__(self) -> None:
        check_types("ImageStore", self)
        problems = Problems("ImageStore")
        # With one, a deployment that is rolled back would miss the image that it goes back to.
        problems.require(2 <= self.images <= 100, "images", "must be 2 to 100", self.images)
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageSpec:
    """An image made of EMR's: with a Dockerfile, or with Python requirements and jars.

    A Dockerfile begins with ``ARG BASE_IMAGE`` and ``FROM ${BASE_IMAGE}`` and ends with
    ``USER hadoop:hadoop``. What it puts under ``/tmp``, ``/mnt``, ``/home/hadoop``,
    ``/var/log/fluentd`` and ``/var/log/spark`` is hidden by what EMR mounts there.

    Args:
        name: Name, a DNS label.
        kind: Which of EMR's images it is made of. None: that of the construct, which is Spark's for
            ``SparkImage`` and the PySpark kernel's for ``NotebookImage``.
        directory: Directory with a ``Dockerfile`` and what it copies. ``.dockerignore`` is heeded,
            and ``.git`` left out. None: requirements and jars are given instead.
        requirements: Python requirements, ``name==version`` each, or a requirements file of such.
        jars: Jar files for the class path of drivers and executors.
        release_label: EMR release of the image it is made of.
        base: URI of the image to build upon, such as EMR's by digest, or one of your own made of
            EMR's; at most 200 characters. None: EMR's of the release.
        architectures: Processors it is for: those of the workloads that use it. None: arm64 and
            amd64; for a notebook's kernels amd64, where EMR runs them.
        revision: Any text; another one builds the image anew, as is needed for security updates
            of a base named by ``latest``.
        builder: Machines that build it.
        store: What its repository keeps.

    Raises:
        ConfigError: If a name, release or URI is wrong, the Dockerfile or a file is missing or says
            what EMR would not run, a requirement is not exact, or there is nothing to add.

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

    def __post_init__(self) -> None:
        where = f"Image {self.name!r}"
        check_types(where, self)
        problems = Problems(where)
        problems.extend(dns_label("name", self.name))
        problems.extend(self._release_problems())
        if self.base is not None:
            problems.extend(base_uri("base", self.base))
        problems.extend(self._architecture_problems())
        problems.extend(self._content_problems())
        problems.raise_if_any()

    def of_kind(self, *kinds: ImageKind) -> ImageSpec:
        """Return the spec with its kind settled: the first one where none was given.

        Raises:
            ConfigError: If another kind was given, or the architectures are none of the kind's.
        """
        problems = Problems(f"Image {self.name!r}")
        rule = f"must be one of {', '.join(kinds)} here"
        problems.require(self.kind in (None, *kinds), "kind", rule, self.kind)
        problems.raise_if_any()
        return replace(self, kind=self.kind or kinds[0])

    def kind_or_spark(self) -> ImageKind:
        """Return the kind, which is Spark's where none was given."""
        return self.kind or ImageKind.SPARK

    def built_for(self) -> tuple[Architecture, ...]:
        """Return the architectures, with their default applied, in a fixed order."""
        if self.architectures is not None:
            return tuple(sorted(set(self.architectures)))
        if self.kind_or_spark() is ImageKind.SPARK:
            return tuple(sorted(Architecture))
        return (Architecture.AMD64,)

    def requirement_lines(self) -> tuple[str, ...]:
        """Return the Python requirements, read from their file if there is one."""
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
        notebook = self.kind_or_spark() is not ImageKind.SPARK
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
        rule = "must have names of their own"
        problems += [ConfigProblem(field="jars", rule=rule, got=name) for name in twice]
        return tuple(problems)
