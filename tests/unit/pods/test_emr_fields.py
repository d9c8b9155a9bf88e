"""Fields and names of pod templates, one by one, as the EMR on EKS guide lists them.

Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/pod-templates.html
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.pods.pod_template_rules import check_pod_template
from tests.refusals import refused

POD_FIELDS = [
    "activeDeadlineSeconds",
    "affinity",
    "enableServiceLinks",
    "ephemeralContainers",
    "hostAliases",
    "hostname",
    "imagePullSecrets",
    "nodeName",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "runtimeClassName",
    "schedulerName",
    "subdomain",
    "terminationGracePeriodSeconds",
    "tolerations",
    "topologySpreadConstraints",
]
OTHER_POD_FIELDS = {
    "automountServiceAccountToken": "",
    "dnsConfig": "; EMR removes DNS settings",
    "dnsPolicy": "; EMR removes DNS settings",
    "hostIPC": "",
    "hostNetwork": "",
    "hostPID": "",
    "restartPolicy": "; Spark replaces executors, and a retry policy replaces drivers",
    "securityContext": "; EMR sets it (user 999, no privileges); only sidecars can have one",
    "serviceAccount": "; EMR creates one for each execution role",
    "serviceAccountName": "; EMR creates one for each execution role",
    "shareProcessNamespace": "",
}
MAIN_FIELDS = [
    "envFrom",
    "lifecycle",
    "livenessProbe",
    "readinessProbe",
    "resources",
    "startupProbe",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "workingDir",
]
OTHER_MAIN_FIELDS = {
    "args": "; EMR starts Spark",
    "command": "; EMR starts Spark",
    "image": "; set spark.kubernetes.container.image for a custom image",
    "imagePullPolicy": "; EMR sets it",
    "ports": "",
    "securityContext": "; EMR sets it (user 999, no privileges); only sidecars can have one",
}
RESERVED_VOLUMES = [
    "emr-container-communicate",
    "config-volume",
    "emr-container-application-log-dir",
    "emr-container-event-log-dir",
    "temp-data-dir",
    "mnt-dir",
    "home-dir",
    "emr-container-s3",
]
RESERVED_MOUNTS = [
    "/var/log/fluentd",
    "/var/log/spark/user",
    "/var/log/spark/apps",
    "/mnt",
    "/tmp",
    "/home/hadoop",
]
RESERVED_VARIABLES = [
    "SPARK_CONTAINER_ID",
    "K8S_SPARK_LOG_URL_STDERR",
    "K8S_SPARK_LOG_URL_STDOUT",
    "SIDECAR_SIGNAL_FILE",
]
DRIVER = "spark-kubernetes-driver"
EXECUTOR = "spark-kubernetes-executor"
MAIN = f"T: spec.containers[{DRIVER}]"


def check(spec: Any, role: SparkRole | None = None) -> None:
    check_pod_template({"apiVersion": "v1", "kind": "Pod", "spec": spec}, "T", role=role)


def check_main(**fields: Any) -> None:
    check({"containers": [{"name": DRIVER, **fields}]})


@pytest.mark.parametrize("field", POD_FIELDS)
def test_a_pod_can_have_the_field(field: str) -> None:
    check({field: "x"})


@pytest.mark.parametrize("field", OTHER_POD_FIELDS)
def test_a_pod_cannot_have_the_field(field: str) -> None:
    assert refused(lambda: check({field: "x"})) == (
        f"T: spec must not have fields that EMR refuses, got {field!r}{OTHER_POD_FIELDS[field]}."
    )


@pytest.mark.parametrize("field", MAIN_FIELDS)
def test_the_main_container_can_have_the_field(field: str) -> None:
    check_main(**{field: "x"})


@pytest.mark.parametrize("field", OTHER_MAIN_FIELDS)
def test_the_main_container_cannot_have_the_field(field: str) -> None:
    assert refused(lambda: check_main(**{field: "x"})) == (
        f"{MAIN} must not have fields that EMR refuses, got {field!r}{OTHER_MAIN_FIELDS[field]}."
    )


@pytest.mark.parametrize("name", RESERVED_VOLUMES)
def test_a_reserved_volume_is_refused_and_a_sidecar_can_mount_it(name: str) -> None:
    assert refused(lambda: check({"volumes": [{"name": name}]})) == (
        f"T: spec.volumes must not use a name that EMR reserves, got {name!r}."
    )
    mounts = [{"name": name, "mountPath": "/data1"}]
    check({"containers": [{"name": DRIVER}, {"name": "sidecar", "volumeMounts": mounts}]})
    assert refused(lambda: check_main(volumeMounts=mounts)) == (
        f"{MAIN}.volumeMounts must name volumes of the template, got {name!r}."
    )


@pytest.mark.parametrize("path", RESERVED_MOUNTS)
def test_a_mount_at_below_or_above_a_reserved_path_is_refused(path: str) -> None:
    parent = path.rpartition("/")[0] or "/"
    for given in (path, f"{path}/", f"{path}/below", parent):
        text = refused(partial(check_main, volumeMounts=[_mount(given)]))
        assert text.startswith(f"{MAIN}.volumeMounts must not overlap with /"), given
        assert f"which EMR mounts, got {given!r}; try '/data1'." in text
    check_main(volumeMounts=[_mount(f"{path}x"), _mount("/data1")])


@pytest.mark.parametrize("name", RESERVED_VARIABLES)
def test_a_reserved_variable_is_refused(name: str) -> None:
    assert refused(lambda: check_main(env=[{"name": name, "value": "1"}])) == (
        f"{MAIN}.env must not set a variable that EMR sets, got {name!r}."
    )


def test_the_main_container_has_the_name_of_its_role() -> None:
    for role, name, other in (
        (SparkRole.DRIVER, DRIVER, EXECUTOR),
        (SparkRole.EXECUTOR, EXECUTOR, DRIVER),
    ):
        check({"containers": [{"name": name}]}, role)
        wrong = partial(check, {"containers": [{"name": other}]}, role)
        assert refused(wrong) == (
            f"T: spec.containers must name the main container {name}, got {other!r}."
        )
        check({"containers": [{"name": name}]})


def test_a_template_has_lists_of_named_items() -> None:
    assert refused(lambda: check({"containers": "x"})) == (
        "T: spec.containers must be a list, got 'x'."
    )
    assert refused(lambda: check({"volumes": [{"name": ""}]})) == (
        "T: spec.volumes must have a name in every item, got {'name': ''}."
    )
    assert refused(lambda: check({"volumes": ["x"]})) == (
        "T: spec.volumes must have a name in every item, got 'x'."
    )
    assert refused(lambda: check([])) == "T: spec must be a mapping, got []."


@pytest.mark.parametrize("metadata", ["x", {"labels": []}, {"annotations": "y"}])
def test_metadata_labels_and_annotations_are_mappings(metadata: Any) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}}
    assert "must be a mapping, got" in refused(lambda: check_pod_template(pod, "T"))


@pytest.mark.parametrize("changes", [{"kind": "Job"}, {"apiVersion": "v2"}])
def test_a_template_is_a_pod_of_v1(changes: dict[str, str]) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {}, **changes}
    assert "T: kind must be a Pod of v1, got" in refused(lambda: check_pod_template(pod, "T"))


def test_a_variable_with_the_value_of_a_secret_is_refused() -> None:
    text = refused(lambda: check_main(env=[{"name": "DB_PASSWORD", "value": "x"}]))
    assert f"{MAIN}.env must not hold the value of a secret" in text
    check_main(env=[{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {}}}])


def _mount(path: str) -> dict[str, str]:
    return {"name": "spark-local-dir-1", "mountPath": path}


@pytest.mark.parametrize(
    "path",
    ["/", "/tmp", "/tmp/", "/tmp/deep", "/var", "/var/log/", "/home/hadoop/spark", "/mnt/data"],
)
def test_a_mount_over_or_below_a_mount_of_emr_is_refused(path: str) -> None:
    text = refused(lambda: check_main(volumeMounts=[_mount(path)]))
    assert "which EMR mounts" in text
    assert f"got {path!r}; try '/data1'" in text


@pytest.mark.parametrize("path", ["/data1", "/tmpx", "/mnt1", "/home/hadoop2", "/va", "/var/log2"])
def test_a_mount_next_to_a_mount_of_emr_is_allowed(path: str) -> None:
    check_main(volumeMounts=[_mount(path)])


def test_a_mount_without_a_path_is_refused() -> None:
    text = refused(lambda: check_main(volumeMounts=[{"name": "spark-local-dir-1"}]))
    assert f"{MAIN}.volumeMounts must not overlap with" in text
    assert "got ''" in text


def test_init_containers_need_names() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"initContainers": [{"image": "i"}]}}
    text = refused(lambda: check_pod_template(pod, "T"))
    assert "spec.initContainers must have a name in every item" in text
