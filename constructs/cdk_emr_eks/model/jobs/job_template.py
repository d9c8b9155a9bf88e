"""EMR job templates: a Spark job with parameters, started by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Final

from cdk_emr_eks import versions
from cdk_emr_eks.checks import Check
from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.model.access.tenant_secrets import plain_secret_problems
from cdk_emr_eks.model.images.image_uri import image_uri
from cdk_emr_eks.names import emr_name
from cdk_emr_eks.releases import release_label
from cdk_emr_eks.values import value

# Limits of EMR's API, in characters.
# Source: https://docs.aws.amazon.com/emr-on-eks/latest/APIReference/API_JobTemplateData.html
MAX_ENTRY_POINT: Final = 256
MAX_SUBMIT_PARAMETERS: Final = 102_400
MAX_DEFAULT: Final = 1_024
MAX_ARGUMENT: Final = 10_280

# Limits of EMR's API, in items.
MAX_PARAMETERS: Final = 100
MAX_TAGS: Final = 50

_PLACEHOLDER: Final = re.compile(r"\$\{([A-Za-z0-9_.-]+)\}")
_BRACKETS: Final = re.compile(r"[()\[\]{}]")
_NUMBER: Final = r"-?\d+(\.\d+)?"


class JobParameterType(StrEnum):
    """Types that EMR checks a parameter's value against."""

    STRING = "STRING"
    NUMBER = "NUMBER"


@value
class JobParameter:
    """A value that the caller of a job template gives.

    Args:
        type: Type of the value.
        default: Value if the caller gives none. None: the parameter is required.

    Raises:
        ConfigError: If the default is too long, or is not a number although the type is ``NUMBER``.
    """

    type: JobParameterType = JobParameterType.STRING
    default: str | None = None

    def _rules(self, check: Check) -> None:
        check.length("default", 0, MAX_DEFAULT)
        if self.type is JobParameterType.NUMBER:
            check.matches("default", _NUMBER, "a number")


@value(kind="Job template")
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
        parameters: Parameters by name: all that the texts above use, and no others.
        release_label: EMR release.
        image: Image of driver and executors, by digest or a token such as ``SparkImage.uri``. None:
            the tenant's, or else the release's.
        tags: Tags of each job started from it.

    Raises:
        ConfigError: If a text or the tags exceed a limit of EMR, the image has no digest, the
            parameters differ from the placeholders, or the submit parameters hold a secret.

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

    def _rules(self, check: Check) -> None:
        check.add(emr_name("name", self.name))
        check.passes("release_label", release_label)
        check.passes("image", image_uri)
        check.length("entry_point", 1, MAX_ENTRY_POINT)
        check.length("submit_parameters", 0, MAX_SUBMIT_PARAMETERS)
        check.add(plain_secret_problems("submit_parameters", self.submit_parameters))
        for argument in self.arguments:
            rest = _PLACEHOLDER.sub("", argument)
            rule = "must not hold (), [] or {} but for ${parameter}"
            check.require(not _BRACKETS.search(rest), "arguments", rule, argument)
        check.length("arguments", 1, MAX_ARGUMENT)
        check.add(self._parameter_problems())
        check.at_most_items("parameters", MAX_PARAMETERS, what="parameters")
        check.at_most_items("tags", MAX_TAGS, what="tags")

    def _parameter_problems(self) -> tuple[ConfigProblem, ...]:
        texts = (self.entry_point, self.submit_parameters, *self.arguments)
        used = {name for text in texts for name in _PLACEHOLDER.findall(text)}
        declared = set(self.parameters)
        undeclared = [
            ConfigProblem(field="parameters", rule="must declare each ${parameter} used", got=name)
            for name in sorted(used - declared)
        ]
        unused = [
            ConfigProblem(field="parameters", rule="must be used as ${parameter}", got=name)
            for name in sorted(declared - used)
        ]
        return (*undeclared, *unused)
