"""Templates that the API server and EMR take, and users' templates that they would not."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pytest
from kubernetes_validate.utils import ValidationError, validate  # type: ignore[import-untyped]

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.labels import CapacityType, SparkRole
from cdk_emr_eks.model.nodes.storage_class import storage_class
from cdk_emr_eks.model.pods.pod_template import PodTemplate, driver_template, executor_template
from cdk_emr_eks.model.pods.pod_template_rules import check_pod_template
from cdk_emr_eks.model.workloads.catalog import CRITICAL, DEFAULT_WORKLOADS, NOTEBOOK, SHARED
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.versions import KUBERNETES
from tests.refusals import Call, refusals, refused

by_name = pytest.mark.parametrize("workload", DEFAULT_WORKLOADS, ids=lambda each: each.name)


def spec(template: Mapping[str, object]) -> dict[str, Any]:
    return cast(dict[str, Any], template["spec"])


@by_name
def test_kubernetes_accepts_each_field(workload: Workload) -> None:
    """Strict validation against Kubernetes' own OpenAPI: an unknown field is an error."""
    for template in (driver_template(workload), executor_template(workload)):
        whole = deepcopy(dict(template))
        # EMR names the pod and the image; a Pod without them is not valid by itself.
        cast(dict[str, Any], whole["metadata"])["name"] = "spark-1-driver"
        for container in spec(whole)["containers"]:
            container["image"] = "emr"
        validate(whole, KUBERNETES, strict=True)


@by_name
def test_kubernetes_accepts_the_priority_classes(workload: Workload) -> None:
    for each in workload.priority_classes():
        validate(dict(each), KUBERNETES, strict=True)


def test_kubernetes_accepts_the_storage_class() -> None:
    made = storage_class(cluster_name="data", volume_key="key")
    validate(dict(made), KUBERNETES, strict=True)


def test_strict_validation_refuses_an_unknown_field() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x"},
        "spec": {"containers": [{"name": "x", "image": "x"}], "topologySpread": []},
    }
    with pytest.raises(ValidationError):
        validate(pod, KUBERNETES, strict=True)


@by_name
def test_emr_accepts_the_templates_of_the_default_workloads(workload: Workload) -> None:
    check_pod_template(driver_template(workload), "driver", role=SparkRole.DRIVER)
    check_pod_template(executor_template(workload), "executor", role=SparkRole.EXECUTOR)


@by_name
def test_drivers_spread_over_zones_and_executors_follow_their_driver(workload: Workload) -> None:
    (spread,) = spec(driver_template(workload))["topologySpreadConstraints"]
    assert spread == {
        "topologyKey": "topology.kubernetes.io/zone",
        "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway",
        "nodeTaintsPolicy": "Honor",
        "labelSelector": {
            "matchLabels": {"spark-role": "driver", "emr-eks/workload": workload.name}
        },
    }
    # The selector matches the driver only if the template labels it so.
    labels = cast(Any, driver_template(workload))["metadata"]["labels"]
    assert labels["emr-eks/workload"] == workload.name
    affinity = spec(executor_template(workload))["affinity"]["podAffinity"]
    assert affinity["requiredDuringSchedulingIgnoredDuringExecution"] == [
        {
            "topologyKey": "topology.kubernetes.io/zone",
            "labelSelector": {"matchLabels": {"spark-role": "driver"}},
            "matchLabelKeys": ["spark-app-selector"],
        }
    ]


@by_name
def test_executors_prefer_nodes_with_executors_of_their_tenant(workload: Workload) -> None:
    """The scheduler's emptiest node keeps every node in use: a day of jobs left them 60 % empty."""
    affinity = spec(executor_template(workload))["affinity"]["podAffinity"]
    # No namespaces: those of one namespace count, its own.
    assert affinity["preferredDuringSchedulingIgnoredDuringExecution"] == [
        {
            "weight": 100,
            "podAffinityTerm": {
                "topologyKey": "kubernetes.io/hostname",
                "labelSelector": {"matchLabels": {"spark-role": "executor"}},
            },
        }
    ]


@by_name
def test_drivers_of_all_tenants_count_for_the_choice_of_a_zone(workload: Workload) -> None:
    """A topology spread counts one namespace only; 24 tenants of one job each went to one zone."""
    driver = spec(driver_template(workload))
    (preferred,) = driver["affinity"]["podAntiAffinity"][
        "preferredDuringSchedulingIgnoredDuringExecution"
    ]
    term = preferred["podAffinityTerm"]
    assert term["namespaceSelector"] == {}
    assert term["topologyKey"] == "topology.kubernetes.io/zone"
    assert term["labelSelector"] == driver["topologySpreadConstraints"][0]["labelSelector"]
    # A rule would stop every driver but one in each zone.
    assert list(driver["affinity"]) == ["podAntiAffinity"]
    assert list(driver["affinity"]["podAntiAffinity"]) == [
        "preferredDuringSchedulingIgnoredDuringExecution"
    ]


def test_capacity_type_is_selected_unless_executors_may_fall_back() -> None:
    key = "karpenter.sh/capacity-type"
    for workload in DEFAULT_WORKLOADS:
        assert spec(driver_template(workload))["nodeSelector"][key] == "on-demand"
    for falling_back in (SHARED, NOTEBOOK):
        assert key not in spec(executor_template(falling_back))["nodeSelector"]
    assert spec(executor_template(CRITICAL))["nodeSelector"][key] == "on-demand"
    strict = replace(SHARED, on_demand_fallback=False)
    assert spec(executor_template(strict))["nodeSelector"][key] == "spot"


def test_executors_on_spot_can_be_evicted_and_end_within_the_notice() -> None:
    for workload in DEFAULT_WORKLOADS:
        template = cast(Any, executor_template(workload))
        spot = CapacityType.SPOT in workload.executor_capacities
        assert ("annotations" in template["metadata"]) is not spot
        assert (template["spec"]["terminationGracePeriodSeconds"] > 60) is spot
        assert template["spec"]["terminationGracePeriodSeconds"] < 120


def user(**changes: Any) -> dict[str, Any]:
    pod: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "spec": {}}
    return pod | changes


def main(**fields: Any) -> dict[str, Any]:
    return user(spec={"containers": [{"name": "spark-kubernetes-driver", **fields}]})


def test_templates_that_emr_allows() -> None:
    template: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": {"team": "a"}},
        "spec": {
            "volumes": [{"name": "models", "emptyDir": {}}],
            "initContainers": [
                {
                    "name": "load",
                    "image": "load:1",
                    "securityContext": {"runAsUser": 999},
                    "volumeMounts": [{"name": "models", "mountPath": "/mnt/models"}],
                }
            ],
            "containers": [
                {
                    "name": "spark-kubernetes-executor",
                    "env": [{"name": "MODE", "value": "x"}],
                    "volumeMounts": [
                        {"name": "models", "mountPath": "/data1"},
                        {"name": "spark-local-dir-1", "mountPath": "/data2"},
                    ],
                },
                {
                    "name": "sidecar",
                    "image": "side:1",
                    "volumeMounts": [
                        {"name": "emr-container-communicate", "mountPath": "/var/log/fluentd"}
                    ],
                },
            ],
            "priorityClassName": "shared-executor",
        },
    }
    assert PodTemplate(template, SparkRole.EXECUTOR).manifest() == template
    check_pod_template(user(), "no containers at all")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no pod": (
        {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {}},
        "T: kind must be a Pod of v1, got 'apps/v1 Deployment'.",
    ),
    "no spec": (
        {"apiVersion": "v1", "kind": "Pod"},
        "T: spec must be a mapping.",
    ),
    "status": (
        user(status={}),
        "T: template must not have fields that EMR refuses, got 'status'.",
    ),
    "pod security context": (
        user(spec={"securityContext": {"fsGroup": 1}}),
        "T: spec must not have fields that EMR refuses, got 'securityContext'; EMR sets it "
        "(user 999, no privileges); only sidecars can have one.",
    ),
    "service account": (
        user(spec={"serviceAccountName": "mine"}),
        "T: spec must not have fields that EMR refuses, got 'serviceAccountName'; EMR creates "
        "one for each execution role.",
    ),
    "DNS": (
        user(spec={"dnsConfig": {"options": [{"name": "ndots", "value": "1"}]}}),
        "T: spec must not have fields that EMR refuses, got 'dnsConfig'; EMR removes DNS settings.",
    ),
    "host network": (
        user(spec={"hostNetwork": True}),
        "T: spec must not have fields that EMR refuses, got 'hostNetwork'.",
    ),
    "image of the main container": (
        main(image="mine:1"),
        "T: spec.containers[spark-kubernetes-driver] must not have fields that EMR refuses, got "
        "'image'; set spark.kubernetes.container.image for a custom image.",
    ),
    "command of the main container": (
        main(command=["sh"]),
        "T: spec.containers[spark-kubernetes-driver] must not have fields that EMR refuses, got "
        "'command'; EMR starts Spark.",
    ),
    "reserved volume": (
        user(spec={"volumes": [{"name": "mnt-dir", "emptyDir": {}}]}),
        "T: spec.volumes must not use a name that EMR reserves, got 'mnt-dir'.",
    ),
    "volume that is not declared": (
        main(volumeMounts=[{"name": "disk", "mountPath": "/data1"}]),
        "T: spec.containers[spark-kubernetes-driver].volumeMounts must name volumes of the "
        "template, got 'disk'.",
    ),
    "mount below a reserved one": (
        main(volumeMounts=[{"name": "spark-local-dir-1", "mountPath": "/mnt/k8s-disks/0"}]),
        "T: spec.containers[spark-kubernetes-driver].volumeMounts must not overlap with /mnt, "
        "which EMR mounts, got '/mnt/k8s-disks/0'; try '/data1'.",
    ),
    "mount above a reserved one": (
        main(volumeMounts=[{"name": "spark-local-dir-1", "mountPath": "/var/log/"}]),
        "T: spec.containers[spark-kubernetes-driver].volumeMounts must not overlap with "
        "/var/log/fluentd, which EMR mounts, got '/var/log/'; try '/data1'.",
    ),
    "reserved variable": (
        main(env=[{"name": "SPARK_CONTAINER_ID", "value": "1"}]),
        "T: spec.containers[spark-kubernetes-driver].env must not set a variable that EMR sets, "
        "got 'SPARK_CONTAINER_ID'.",
    ),
    "main container under another name": (
        user(spec={"containers": [{"name": "spark-kubernetes-executors"}]}),
        "T: spec.containers must name the main container spark-kubernetes-driver or "
        "spark-kubernetes-executor, got 'spark-kubernetes-executors'.",
    ),
    "container without a name": (
        user(spec={"containers": [{}]}),
        "T: spec.containers must have a name in every item, got {}.",
    ),
    "EMR's logging container": (
        user(
            spec={
                "containers": [
                    {"name": "spark-kubernetes-driver"},
                    {"name": "emr-container-fluentd"},
                ]
            }
        ),
        "T: spec.containers[emr-container-fluentd] must not use the name of EMR's logging "
        "container, got 'emr-container-fluentd'.",
    ),
    "annotation that is not text": (
        user(metadata={"annotations": {"karpenter.sh/do-not-disrupt": True}}),
        "T: metadata.annotations must have text as the value of karpenter.sh/do-not-disrupt, got "
        "True.",
    ),
}


@refusals(
    {name: (partial(check_pod_template, pod, "T"), text) for name, (pod, text) in REFUSED.items()}
)
def test_templates_that_emr_refuses(call: Call, message: str) -> None:
    assert refused(call) == message


def test_a_path_that_only_begins_like_a_reserved_path_is_allowed() -> None:
    check_pod_template(
        main(volumeMounts=[{"name": "spark-local-dir-1", "mountPath": "/mnt1"}]), "T"
    )


def test_a_template_of_the_other_role_is_refused() -> None:
    with pytest.raises(ConfigError, match="spark-kubernetes-executor, got 'spark-kubernetes-dr"):
        PodTemplate(driver_template(SHARED), SparkRole.EXECUTOR)
