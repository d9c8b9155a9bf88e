"""What EMR adds to the pods that Spark makes: labels, security contexts, a logging container."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Final

from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.labels import JOB_ID, SparkRole
from cdk_emr_eks.model.images.emr_images import EMR_ACCOUNTS
from cdk_emr_eks.versions import EMR_RELEASE

COMPONENT: Final = "emr-containers.amazonaws.com/component"
LOGGING: Final = "emr-container-fluentd"
"""Name of EMR's logging container."""

_REGISTRY: Final = f"{EMR_ACCOUNTS['us-east-1']}.dkr.ecr.us-east-1.amazonaws.com"
# Nothing is pulled, but admission policies look where images come from.
SPARK_IMAGE: Final = f"{_REGISTRY}/spark/{EMR_RELEASE.removesuffix('-latest')}:latest"
"""Image that EMR runs jobs from, unless their configuration names another."""
LOGGING_IMAGE: Final = f"{_REGISTRY}/fluentd:latest"
"""Image of EMR's logging container."""

_RESOURCE_TYPE: Final = "emr-containers.amazonaws.com/resource.type"
# EMR's logging container names memory only on drivers and executors. Source:
# https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-job-submitter-container-defaults.html
_LOGGING_MEMORY: Final = "512Mi"


def emr_labels(job_id: str, component: str) -> dict[str, str]:
    """Return the labels that EMR puts on a pod of a job."""
    return {JOB_ID: job_id, COMPONENT: str(component), _RESOURCE_TYPE: "job.run"}


def with_emr(pod: Mapping[str, object], job_id: str, role: SparkRole) -> Mapping[str, object]:
    """Return a driver or an executor of Spark's, or a template of one, with what EMR adds."""
    full = copy.deepcopy(dict(pod))
    metadata, spec = writable(full, "metadata"), writable(full, "spec")
    writable(metadata, "labels").update(emr_labels(job_id, role))
    spec["securityContext"] = {"fsGroup": 65534}
    containers = [dict(mapping(each)) for each in sequence(spec["containers"])]
    containers[0]["securityContext"] = container_security()
    logging = {
        "name": LOGGING,
        "image": LOGGING_IMAGE,
        "resources": {
            "requests": {"memory": _LOGGING_MEMORY},
            "limits": {"memory": _LOGGING_MEMORY},
        },
        "securityContext": container_security(),
    }
    spec["containers"] = [*containers, logging]
    return full


def container_security() -> dict[str, object]:
    """Return the security context of each of EMR's containers."""
    return {
        "runAsNonRoot": True,
        "runAsUser": 999,
        "runAsGroup": 1000,
        "privileged": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def writable(parent: dict[str, object], key: str) -> dict[str, object]:
    """Return the mapping at a key, made where there is none, to be written to."""
    held = dict(mapping(parent.get(key)))
    parent[key] = held
    return held
