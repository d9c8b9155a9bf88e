"""A job that is declared once and started by name, with parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cdk_emr_eks import versions
from cdk_emr_eks.errors import ConfigProblem, Problems
from cdk_emr_eks.field_types import check_types, hold_mappings
from cdk_emr_eks.model.access.tenant_secrets import plain_secret_problems
from cdk_emr_eks.model.images.image_uri import image_uri
from cdk_emr_eks.names import emr_name
from cdk_emr_eks.releases import release_label

_PLACEHOLDER: Final = re.compile(r"\$\{([A-Za-z0-9_.-]+)\}")
_BARRED: Final = re.compile(r"[()\[\]{}]")
MAX_ENTRY_POINT: Final = 256
MAX_SUBMIT_PARAMETERS: Final = 102_400
MAX_PARAMETERS: Final = 100
MAX_DEFAULT: Final = 1_024
MAX_ARGUMENT: Final = 10_280


class JobParameterType(StrEnum):
    """Types that EMR checks a parameter's value against."""

    STRING = "STRING"
    NUMBER = "NUMBER"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobParameter:
    """A value that whoever starts the job gives.

    Args:
        type: Type of the value.
        default: Value where none is given. None: the parameter must be given.

    Raises:
        ConfigError: If the default is too long, or no number where one is asked for.
    """

    type: JobParameterType = JobParameterType.STRING
    default: str | None = None

    def __post_init__(self) -> None:
        check_types("Parameter", self)
        problems = Problems("Parameter")
        if self.default is not None:
            rule = f"must be at most {MAX_DEFAULT} characters"
            problems.require(len(self.default) <= MAX_DEFAULT, "default", rule, len(self.default))
            if self.type is JobParameterType.NUMBER:
                number = re.fullmatch(r"-?\d+(\.\d+)?", self.default)
                problems.require(number is not None, "default", "must be a number", self.default)
        problems.raise_if_any()


@dataclass(frozen=True, kw_only=True, slots=True)
class JobTemplateSpec:
    """A Spark job as an EMR job template: entry point, arguments and a workload's configuration.

    ``${name}`` in the entry point, the arguments and the submit parameters stands for a parameter.
    All properties of a job template are immutable: a change replaces it under a new id.

    Args:
        name: Name in EMR, 1 to 64 characters.
        workload: Workload whose configuration and pod templates the job gets.
        entry_point: Jar or Python file, such as ``s3://bucket/job.py``; at most 256 characters.
        arguments: Arguments of the job. EMR refuses brackets of any kind in them.
        submit_parameters: Parameters of ``spark-submit``, such as ``--class Main``.
        parameters: Parameters by name; each must be used, and each one used must be here.
        release_label: EMR release.
        image: Image of driver and executors, by digest or a token such as ``SparkImage.uri``. None:
            the tenant's, or else the release's.
        tags: Tags of each job started from it.

    Raises:
        ConfigError: If a limit of EMR's is broken, the image has no digest, parameters and
            placeholders differ, or the submit parameters hold a secret.

    Source: https://docs.aws.amazon.com/emr-on-eks/latest/APIReference/API_JobTemplateData.html
    """

    name: str
    workload: str
    entry_point: str
    arguments: tuple[str, ...] = ()
    submit_parameters: str = ""
    parameters: Mapping[str, JobParameter] = field(default_factory=dict)
    release_label: str = versions.EMR_RELEASE
    image: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_types(f"Job template {self.name!r}", self)
        hold_mappings(self)
        problems = Problems(f"Job template {self.name!r}")
        problems.extend(emr_name("name", self.name))
        problems.extend(release_label("release_label", self.release_label))
        if self.image is not None:
            problems.extend(image_uri("image", self.image))
        length = len(self.entry_point)
        rule = f"must be 1 to {MAX_ENTRY_POINT} characters"
        problems.require(1 <= length <= MAX_ENTRY_POINT, "entry_point", rule, length)
        length = len(self.submit_parameters)
        rule = f"must be at most {MAX_SUBMIT_PARAMETERS} characters"
        problems.require(length <= MAX_SUBMIT_PARAMETERS, "submit_parameters", rule, length)
        problems.extend(tuple(plain_secret_problems("submit_parameters", self.submit_parameters)))
        for argument in self.arguments:
            rest = _PLACEHOLDER.sub("", argument)
            rule = "must not hold (), [] or {} but for ${parameter}"
            problems.require(not _BARRED.search(rest), "arguments", rule, argument)
            rule = f"must be 1 to {MAX_ARGUMENT} characters each"
            problems.require(1 <= len(argument) <= MAX_ARGUMENT, "arguments", rule, len(argument))
        problems.extend(self._parameter_problems())
        rule = "must be at most 50"
        problems.require(len(self.tags) <= 50, "tags", rule, len(self.tags))
        problems.raise_if_any()

    def _parameter_problems(self) -> tuple[ConfigProblem, ...]:
        texts = (self.entry_point, self.submit_parameters, *self.arguments)
        used = {name for text in texts for name in _PLACEHOLDER.findall(text)}
        declared = set(self.parameters)
        problems = [
            ConfigProblem(field="parameters", rule="must declare each ${parameter} used", got=name)
            for name in sorted(used - declared)
        ]
        problems += [
            ConfigProblem(field="parameters", rule="must be used as ${parameter}", got=name)
            for name in sorted(declared - used)
        ]
        if len(declared) > MAX_PARAMETERS:
            rule = f"must be at most {MAX_PARAMETERS}"
            problems.append(ConfigProblem(field="parameters", rule=rule, got=len(declared)))
        return tuple(problems)
