"""What EMR on EKS allows in a pod template; a violation fails the job, hours after synth.

Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/pod-templates.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from cdk_emr_eks.checks import Check
from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.access.tenant_secrets import INSTEAD, is_secret_name

# Names by which EMR finds Spark's container.
MAIN_CONTAINERS: Final[Mapping[SparkRole, str]] = {
    SparkRole.DRIVER: "spark-kubernetes-driver",
    SparkRole.EXECUTOR: "spark-kubernetes-executor",
}

_TOP_LEVEL: Final = frozenset({"apiVersion", "kind", "metadata", "spec"})

_POD_FIELDS: Final = frozenset(
    [
        "activeDeadlineSeconds",
        "affinity",
        "containers",
        "enableServiceLinks",
        "ephemeralContainers",
        "hostAliases",
        "hostname",
        "imagePullSecrets",
        "initContainers",
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
        "volumes",
    ]
)

_MAIN_FIELDS: Final = frozenset(
    [
        "env",
        "envFrom",
        "name",
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
        "volumeMounts",
        "workingDir",
    ]
)

_RESERVED_VOLUMES: Final = frozenset(
    [
        "emr-container-communicate",
        "config-volume",
        "emr-container-application-log-dir",
        "emr-container-event-log-dir",
        "temp-data-dir",
        "mnt-dir",
        "home-dir",
        "emr-container-s3",
    ]
)

_RESERVED_MOUNTS: Final = (
    "/var/log/fluentd",
    "/var/log/spark/user",
    "/var/log/spark/apps",
    "/mnt",
    "/tmp",
    "/home/hadoop",
)

_RESERVED_ENV: Final = frozenset(
    {
        "SPARK_CONTAINER_ID",
        "K8S_SPARK_LOG_URL_STDERR",
        "K8S_SPARK_LOG_URL_STDOUT",
        "SIDECAR_SIGNAL_FILE",
    }
)

_LOGGING_CONTAINER: Final = "emr-container-fluentd"

# What to do instead, for the fields that users try most.
_INSTEAD: Final[Mapping[str, str]] = {
    "securityContext": "EMR sets it (user 999, no privileges); only sidecars can have one",
    "serviceAccountName": "EMR creates one for each execution role",
    "serviceAccount": "EMR creates one for each execution role",
    "image": "set spark.kubernetes.container.image for a custom image",
    "imagePullPolicy": "EMR sets it",
    "command": "EMR starts Spark",
    "args": "EMR starts Spark",
    "dnsConfig": "EMR removes DNS settings",
    "dnsPolicy": "EMR removes DNS settings",
    "restartPolicy": "Spark replaces executors, and a retry policy replaces drivers",
}


def check_pod_template(
    manifest: Mapping[str, object], where: str, *, role: SparkRole | None = None
) -> None:
    """Check that EMR on EKS accepts a pod template.

    Args:
        manifest: The pod as plain values.
        where: What the error calls the template.
        role: Drivers or executors; None accepts the main container of both.

    Raises:
        ConfigError: With every field, volume, mount, variable and name that EMR refuses.
    """
    check = Check(where)
    pod_template_rules(check, manifest, role=role)
    check.raise_if_any()


def pod_template_rules(
    check: Check, manifest: Mapping[str, object], *, role: SparkRole | None = None
) -> None:
    """Record every field, volume, mount, variable and name that EMR refuses in a pod template."""
    spec = manifest.get("spec")
    rule = "must be a Pod of v1"
    is_pod = manifest.get("kind") == "Pod" and manifest.get("apiVersion") == "v1"
    check.require(is_pod, "kind", rule, f"{manifest.get('apiVersion')} {manifest.get('kind')}")
    _only(check, "template", manifest, _TOP_LEVEL)
    _check_metadata(check, manifest.get("metadata", {}))
    if not isinstance(spec, Mapping):
        check.require(False, "spec", "must be a mapping", spec)
        return
    _only(check, "spec", spec, _POD_FIELDS)
    volumes = _named(check, "spec.volumes", spec.get("volumes", ()))
    for name in volumes:
        rule = "must not use a name that EMR reserves"
        check.require(name not in _RESERVED_VOLUMES, "spec.volumes", rule, name)
    containers = _named(check, "spec.containers", spec.get("containers", ()))
    others = _named(check, "spec.initContainers", spec.get("initContainers", ()))
    main_names = tuple(MAIN_CONTAINERS.values()) if role is None else (MAIN_CONTAINERS[role],)
    rule = f"must name the main container {' or '.join(main_names)}"
    has_main = not containers or any(name in main_names for name in containers)
    check.require(has_main, "spec.containers", rule, ", ".join(containers))
    for name, container in {**containers, **others}.items():
        field = f"spec.containers[{name}]"
        rule = "must not use the name of EMR's logging container"
        check.require(name != _LOGGING_CONTAINER, field, rule, name)
        _check_mounts(check, field, container, set(volumes))
        _check_variables(check, field, container)
        if name in main_names:
            _check_main(check, field, container)


def _check_metadata(check: Check, metadata: object) -> None:
    if not isinstance(metadata, Mapping):
        check.require(False, "metadata", "must be a mapping", metadata)
        return
    for field in ("labels", "annotations"):
        entries = metadata.get(field, {})
        if not isinstance(entries, Mapping):
            check.require(False, f"metadata.{field}", "must be a mapping", entries)
            continue
        for key, value in entries.items():
            rule = f"must have text as the value of {key}"
            check.require(isinstance(value, str), f"metadata.{field}", rule, value)


def _check_main(check: Check, field: str, container: Mapping[str, object]) -> None:
    _only(check, field, container, _MAIN_FIELDS)
    for name in _named(check, f"{field}.env", container.get("env", ())):
        rule = "must not set a variable that EMR sets"
        check.require(name not in _RESERVED_ENV, f"{field}.env", rule, name)
    mounts = container.get("volumeMounts", ())
    for mount in mounts if isinstance(mounts, Sequence) else ():
        path = str(mount.get("mountPath", "")) if isinstance(mount, Mapping) else ""
        clash = next((known for known in _RESERVED_MOUNTS if _overlap(path, known)), "")
        rule = f"must not overlap with {clash}, which EMR mounts"
        check.require(not clash, f"{field}.volumeMounts", rule, path, "try '/data1'")


def _check_mounts(
    check: Check, field: str, container: Mapping[str, object], declared: set[str]
) -> None:
    main = container.get("name") in MAIN_CONTAINERS.values()
    for name in _named(check, f"{field}.volumeMounts", container.get("volumeMounts", ())):
        # Sidecars can use EMR's volumes. Spark's configuration defines spark-local-dir-*.
        known = name in declared or name.startswith("spark-local-dir-")
        known = known or (name in _RESERVED_VOLUMES and not main)
        check.require(known, f"{field}.volumeMounts", "must name volumes of the template", name)


def _check_variables(check: Check, field: str, container: Mapping[str, object]) -> None:
    for name, item in _named(check, f"{field}.env", container.get("env", ())).items():
        rule = "must not hold the value of a secret, which every reader of pods would see"
        exposed = is_secret_name(name) and item.get("value") is not None
        check.require(not exposed, f"{field}.env", rule, name, INSTEAD)


def _named(check: Check, field: str, items: object) -> dict[str, Mapping[str, object]]:
    """Return list items by name, and report items without a name."""
    found: dict[str, Mapping[str, object]] = {}
    if not isinstance(items, Sequence) or isinstance(items, str):
        check.require(False, field, "must be a list", items)
        return found
    for item in items:
        name = item.get("name") if isinstance(item, Mapping) else None
        if isinstance(item, Mapping) and isinstance(name, str) and name:
            found[name] = item
        else:
            check.require(False, field, "must have a name in every item", item)
    return found


def _only(check: Check, field: str, given: Mapping[str, object], allowed: frozenset[str]) -> None:
    for key in given:
        fix = _INSTEAD.get(key, "")
        check.require(key in allowed, field, "must not have fields that EMR refuses", key, fix)


def _overlap(path: str, reserved: str) -> bool:
    trimmed = path.rstrip("/") or "/"
    if trimmed == "/":
        return True
    return f"{trimmed}/".startswith(f"{reserved}/") or f"{reserved}/".startswith(f"{trimmed}/")
