"""An endpoint's configuration in CloudFormation's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from aws_cdk import aws_emrcontainers as emrcontainers

from cdk_emr_eks.errors import refuse

_Endpoint = emrcontainers.CfnEndpoint
_MONITORING = frozenset(
    {"cloudWatchMonitoringConfiguration", "persistentAppUI", "s3MonitoringConfiguration"}
)


def endpoint_overrides(
    where: str, configuration: Mapping[str, object]
) -> emrcontainers.CfnEndpoint.ConfigurationOverridesProperty:
    """Turn ``configurationOverrides`` as EMR's API takes them into CloudFormation's property.

    Args:
        where: The endpoint, for errors.
        configuration: As ``CreateManagedEndpoint`` takes it.

    Raises:
        ConfigError: If it monitors in a way that is not known here.
    """
    monitoring = _mapping(configuration.get("monitoringConfiguration"))
    if unknown := sorted(set(monitoring) - _MONITORING):
        rule = "must not be in an endpoint's configuration"
        raise refuse(where, "monitoringConfiguration", rule, ", ".join(unknown))
    watch = _mapping(monitoring.get("cloudWatchMonitoringConfiguration"))
    store = _mapping(monitoring.get("s3MonitoringConfiguration"))
    interface = monitoring.get("persistentAppUI")
    applications = cast(list[Mapping[str, object]], configuration["applicationConfiguration"])
    return _Endpoint.ConfigurationOverridesProperty(
        application_configuration=[_classification(item) for item in applications],
        monitoring_configuration=_Endpoint.MonitoringConfigurationProperty(
            cloud_watch_monitoring_configuration=(
                _Endpoint.CloudWatchMonitoringConfigurationProperty(
                    log_group_name=str(watch["logGroupName"]),
                    log_stream_name_prefix=cast(str | None, watch.get("logStreamNamePrefix")),
                )
                if watch
                else None
            ),
            s3_monitoring_configuration=(
                _Endpoint.S3MonitoringConfigurationProperty(log_uri=str(store["logUri"]))
                if store
                else None
            ),
            persistent_app_ui=str(interface) if interface else None,
        ),
    )


def _classification(item: Mapping[str, object]) -> _Endpoint.EMREKSConfigurationProperty:
    nested = cast(list[Mapping[str, object]], item.get("configurations", []))
    properties = cast(Mapping[str, str], item.get("properties", {}))
    return _Endpoint.EMREKSConfigurationProperty(
        classification=str(item["classification"]),
        properties=dict(properties) or None,
        configurations=[_classification(inner) for inner in nested] or None,
    )


def _mapping(value: object) -> Mapping[str, object]:
    return cast(Mapping[str, object], value or {})
