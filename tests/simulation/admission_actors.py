"""Users of a tenant's namespace as the API server knows them, and the pods of EMR."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from cdk_emr_eks.model.access.execution_role import Component, service_account
from cdk_emr_eks.model.images.emr_images import ImageKind, base_image
from cdk_emr_eks.model.pods.pod_template import driver_template, executor_template
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.versions import EMR_RELEASE

ACCOUNT: Final = "111122223333"
IMAGE: Final = base_image(ImageKind.SPARK, EMR_RELEASE)
JOB_CONTROLLER: Final = "system:serviceaccount:kube-system:job-controller"
EMR: Final = "emr-containers"

PATHS: Final = {
    "Namespace": "/api/v1/namespaces",
    "LimitRange": "/api/v1/namespaces/{}/limitranges",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "PriorityClass": "/apis/scheduling.k8s.io/v1/priorityclasses",
    "ValidatingAdmissionPolicy": (
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
    ),
    "ValidatingAdmissionPolicyBinding": (
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
    ),
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
}

Pod = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """Response of the API server."""

    status: int
    message: str
    warning: str

    @property
    def allowed(self) -> bool:
        return self.status < 300


def call(
    plane: Plane, user: str | None, method: str, path: str, body: object = None, **query: str
) -> Answer:
    """Call the API as a user; a service account has its groups."""
    groups = ["system:authenticated"] if user else []
    if user and user.startswith("system:serviceaccount:"):
        groups += ["system:serviceaccounts", f"system:serviceaccounts:{user.split(':')[2]}"]
    kind = "application/strategic-merge-patch+json" if method == "PATCH" else "application/json"
    headers = {"Authorization": f"Bearer {plane.token}", "Content-Type": kind}
    url = f"{plane.server}{path}?{urlencode(query)}"
    with plane.client(as_user=user, groups=groups) as api:
        return _answer(api.rest_client.request(method, url, headers=headers, body=body))


def with_token(plane: Plane, token: str, path: str, body: object) -> Answer:
    """Create an object in a dry run, with the token of a pod."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with plane.client() as api:
        url = f"{plane.server}{path}?dryRun=All"
        return _answer(api.rest_client.request("POST", url, headers=headers, body=body))


def _answer(found: Any) -> Answer:
    content = json.loads(found.read() or "{}")
    message = content.get("message", "") if content.get("kind") == "Status" else ""
    return Answer(found.status, message, str(found.headers.get("Warning", "")))


def make(plane: Plane, *objects: dict[str, Any], **query: str) -> None:
    """Create objects as administrator, unless they exist."""
    for item in objects:
        path = PATHS[item["kind"]].format(item["metadata"].get("namespace"))
        answer = call(plane, None, "POST", path, item, fieldValidation="Strict", **query)
        assert answer.status in (200, 201, 409), answer


def account(component: Component, role: str) -> str:
    return service_account(component, ACCOUNT, role)


def user_of(namespace: str, component: Component, role: str) -> str:
    """The user of a pod of an execution role."""
    return f"system:serviceaccount:{namespace}:{account(component, role)}"


def driver(workload: Workload, role: str, name: str = "driver") -> Pod:
    pod = _emr_pod(driver_template(workload), account(Component.DRIVER, role), name)
    pod["metadata"]["labels"] |= {"spark-role": "driver", "spark-app-selector": "spark-1"}
    return pod


def executor(workload: Workload, role: str, name: str = "executor") -> Pod:
    pod = _emr_pod(executor_template(workload), account(Component.EXECUTOR, role), name)
    pod["metadata"]["labels"] |= {"spark-role": "executor", "spark-app-selector": "spark-1"}
    return owned(pod, "driver", "00000000-0000-0000-0000-000000000000")


def owned(pod: Pod, driver: str, uid: str) -> Pod:
    """An executor of Spark's driver. Kubernetes deletes pods whose owner does not exist."""
    owner = {"apiVersion": "v1", "kind": "Pod", "name": driver, "uid": uid, "controller": True}
    pod["metadata"]["ownerReferences"] = [owner]
    return pod


def submitter(workload: Workload, role: str, name: str = "submitter") -> Pod:
    """The pod of EMR's Job, with the finalizer of the job controller."""
    pod = driver(workload, role, name)
    pod["metadata"]["labels"] = {"job-name": "job", "emr-eks/workload": workload.name}
    pod["metadata"]["finalizers"] = ["batch.kubernetes.io/job-tracking"]
    spec = pod["spec"]
    spec["serviceAccountName"] = account(Component.CLIENT, role)
    for field in ("affinity", "priorityClassName", "topologySpreadConstraints"):
        spec.pop(field, None)
    return pod


def gateway(role: str, name: str = "gateway") -> Pod:
    """A pod of an interactive endpoint: no pod template, so no toleration and no priority."""
    spec: Pod = {"serviceAccountName": account(Component.GATEWAY, role)}
    return _emr_pod({"metadata": {}, "spec": spec}, spec["serviceAccountName"], name)


def container(name: str, cpu: str | None = "1", memory: str = "2Gi") -> dict[str, Any]:
    """A container with EMR's security context."""
    requests = {"memory": memory} | ({"cpu": cpu} if cpu else {})
    return {
        "name": name,
        "image": IMAGE,
        "resources": {"requests": requests, "limits": {"memory": memory}},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 999,
            "runAsGroup": 1000,
            "privileged": False,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _emr_pod(template: Mapping[str, object], account_name: str, name: str) -> Pod:
    pod: Pod = deepcopy(json.loads(json.dumps(template, default=dict)))
    pod |= {"apiVersion": "v1", "kind": "Pod"}
    pod["metadata"]["name"] = name
    pod["metadata"].setdefault("labels", {})
    token = {"serviceAccountToken": {"audience": "pods.eks.amazonaws.com", "path": "token"}}
    pod["spec"] |= {
        "serviceAccountName": account_name,
        "restartPolicy": "Never",
        "securityContext": {"fsGroup": 65534},
        # The logging container requests no CPU; the LimitRange of the namespace sets it.
        "containers": [container("main"), container("emr-container-fluentd", None, "512Mi")],
        "volumes": [
            {"name": "temp-data-dir", "emptyDir": {}},
            {"name": "config-volume", "configMap": {"name": "fluentd"}},
            {"name": "emr-container-s3", "secret": {"secretName": "emr-containers-s3"}},
            {"name": "token", "projected": {"sources": [token]}},
        ],
    }
    return pod
