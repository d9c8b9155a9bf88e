"""Read the EMR job configurations that outputs of stacks hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cdk_emr_eks.assembly.paths import at, mapping, sequence, text
from cdk_emr_eks.assembly.stack import Stack

_MARK = '"applicationConfiguration"'


@dataclass(frozen=True, kw_only=True, slots=True)
class JobConfiguration:
    """A job configuration: ``configurationOverrides`` of EMR's StartJobRun.

    Args:
        stack: Stack of the output.
        overrides: The whole configuration, with placeholders for tokens.
    """

    stack: Stack
    overrides: Mapping[str, object]

    @property
    def workload(self) -> str:
        """Name of the workload, which is the prefix of the job's log streams."""
        monitoring = mapping(self.overrides, "monitoringConfiguration")
        return text(monitoring, "cloudWatchMonitoringConfiguration", "logStreamNamePrefix")

    @property
    def spark_defaults(self) -> Mapping[str, object]:
        """Spark configuration of the job, empty if the configuration has none."""
        for item in sequence(self.overrides, "applicationConfiguration"):
            if at(item, "classification") == "spark-defaults":
                return mapping(item, "properties")
        return {}


def job_configurations(stack: Stack) -> Iterator[JobConfiguration]:
    """Yield the job configurations of the outputs of a stack."""
    for value in stack.outputs().values():
        content = stack.text(value)
        if _MARK not in content:
            continue
        try:
            overrides = mapping(json.loads(content))
        except ValueError:
            continue  # for example, a command that contains a configuration
        yield JobConfiguration(stack=stack, overrides=overrides)
