"""Translate configuration overrides of EMR's API into properties of CloudFormation.

Job templates and managed endpoints have the same properties, in classes with different names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, cast

from aws_cdk import aws_emrcontainers as emrcontainers

from cdk_emr_eks.errors import refuse

_Endpoint = emrcontainers.CfnEndpoint
_Template = emrcontainers.CfnJobTemplate
_MONITORING: Final = frozenset(
    {"cloudWatchMonitoringConfiguration", "persistentAppUI", "s3MonitoringConfiguration"}
)

Overrides = TypeVar("Overrides")


@dataclass(frozen=True, kw_only=True, slots=True)
class OverridesShape(Generic[Overrides]):
    """The classes of the properties of one resource type.

    Args:
        overrides: Class of the overrides as a whole.
        monitoring: Class of their monitoring configuration.
        log_group: Class of the monitoring in CloudWatch.
        bucket: Class of the monitoring in S3.
        classification: Class of one classification.
    """

    overrides: Callable[..., Overrides]
    monitoring: Callable[..., object]
    log_group: Callable[..., object]
    bucket: Callable[..., object]
    classification: Callable[..., object]


ENDPOINT_OVERRIDES: Final = OverridesShape(
    overrides=_Endpoint.ConfigurationOverridesProperty,
    monitoring=_Endpoint.MonitoringConfigurationProperty,
    log_group=_Endpoint.CloudWatchMonitoringConfigurationProperty,
    bucket=_Endpoint.S3MonitoringConfigurationProperty,
    classification=_Endpoint.EMREKSConfigurationProperty,
)
JOB_TEMPLATE_OVERRIDES: Final = OverridesShape(
    overrides=_Template.ParametricConfigurationOverridesProperty,
    monitoring=_Template.ParametricMonitoringConfigurationProperty,
    log_group=_Template.ParametricCloudWatchMonitoringConfigurationProperty,
    bucket=_Template.ParametricS3MonitoringConfigurationProperty,
    classification=_Template.ConfigurationProperty,
)


def configuration_overrides(
    where: str, configuration: Mapping[str, object], shape: OverridesShape[Overrides]
) -> Overrides:
    """Return the property for ``configurationOverrides`` of EMR's API.

    Args:
        where: The job template or endpoint, for errors.
        configuration: As ``StartJobRun`` and ``CreateManagedEndpoint`` take it.
        shape: ``ENDPOINT_OVERRIDES`` or ``JOB_TEMPLATE_OVERRIDES``.

    Raises:
        ConfigError: If it has a monitoring configuration that CloudFormation does not support.
    """
    monitoring = _mapping(configuration.get("monitoringConfiguration"))
    if unknown := sorted(set(monitoring) - _MONITORING):
        rule = "must be one that CloudFormation supports"
        fix = f"it supports {', '.join(sorted(_MONITORING))}; give others when a job is started"
        raise refuse(where, "monitoringConfiguration", rule, ", ".join(unknown), fix)
    log_group = _mapping(monitoring.get("cloudWatchMonitoringConfiguration"))
    bucket = _mapping(monitoring.get("s3MonitoringConfiguration"))
    interface = monitoring.get("persistentAppUI")
    applications = cast(list[Mapping[str, object]], configuration["applicationConfiguration"])
    return shape.overrides(
        application_configuration=[_classification(item, shape) for item in applications],
        monitoring_configuration=shape.monitoring(
            cloud_watch_monitoring_configuration=shape.log_group(
                log_group_name=str(log_group["logGroupName"]),
                log_stream_name_prefix=log_group.get("logStreamNamePrefix"),
            )
            if log_group
            else None,
            s3_monitoring_configuration=shape.bucket(log_uri=str(bucket["logUri"]))
            if bucket
            else None,
            persistent_app_ui=str(interface) if interface else None,
        ),
    )


def _classification(item: Mapping[str, object], shape: OverridesShape[Overrides]) -> object:
    nested = cast(list[Mapping[str, object]], item.get("configurations", []))
    properties = cast(Mapping[str, str], item.get("properties", {}))
    return shape.classification(
        classification=str(item["classification"]),
        properties=dict(properties) or None,
        configurations=[_classification(inner, shape) for inner in nested] or None,
    )


def _mapping(value: object) -> Mapping[str, object]:
    return cast(Mapping[str, object], value or {})
