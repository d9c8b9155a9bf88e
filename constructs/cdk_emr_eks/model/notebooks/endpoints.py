"""What managed endpoints and Spark Connect endpoints share: names, Spark properties, logs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, cast

from cdk_emr_eks.errors import ConfigProblem, refuse
from cdk_emr_eks.model.workloads.spark_conf import MAX_PROPERTIES

_NAME: Final = re.compile(r"[0-9A-Za-z][A-Za-z0-9\-_]{0,63}")


def endpoint_name(field: str, value: str) -> tuple[ConfigProblem, ...]:
    """Check the name of an endpoint.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-emrcontainers-endpoint.html
    """
    if _NAME.fullmatch(value):
        return ()
    rule = "must be 1 to 64 letters, digits, '-' or '_', and begin with a letter or digit"
    proposal = re.sub(r"[^A-Za-z0-9_-]+", "-", value)[:64].strip("-_")
    fix = f"try {proposal!r}" if proposal else ""
    return (ConfigProblem(field=field, rule=rule, got=value, fix=fix),)


def classifications(job: Mapping[str, object]) -> dict[str, dict[str, str]]:
    """Return the properties of a ``configurationOverrides`` by classification."""
    items = cast(Sequence[Mapping[str, object]], job["applicationConfiguration"])
    return {
        str(item["classification"]): dict(cast(Mapping[str, str], item["properties"]))
        for item in items
    }


def session_properties(
    where: str, derived: Mapping[str, str], own: Mapping[str, str]
) -> dict[str, str]:
    """Return the Spark properties of an endpoint's sessions.

    Args:
        where: What errors call the endpoint.
        derived: Properties of the workload's jobs.
        own: Properties of the endpoint, its ``spark_conf``.

    Raises:
        ConfigError: If there are more properties than the API allows.
    """
    spark = {
        **derived,
        # By default EMR starts two executors, and Spark uses the largest of its three settings for
        # the initial number. Without this property, opening a session would launch nodes.
        "spark.executor.instances": derived["spark.dynamicAllocation.initialExecutors"],
        **own,
    }
    if len(spark) > MAX_PROPERTIES:
        rule = f"must be at most {MAX_PROPERTIES} properties with the workload's"
        raise refuse(where, "spark_conf", rule, len(spark))
    return spark


def monitoring(job: Mapping[str, object], name: str) -> dict[str, object]:
    """Return the log settings of the workload's jobs, with a stream prefix for the endpoint.

    Args:
        job: ``configurationOverrides`` of the workload's jobs.
        name: Name of the endpoint, unique among the endpoints of the virtual cluster. A workload
            may have the same name.
    """
    found = dict(cast(Mapping[str, object], job["monitoringConfiguration"]))
    watch = cast(Mapping[str, object], found["cloudWatchMonitoringConfiguration"])
    prefix = {"logStreamNamePrefix": f"endpoints/{name}"}
    found["cloudWatchMonitoringConfiguration"] = {**watch, **prefix}
    return found
