"""EMR's Spark operator and two tenants: only one of them allows it to create pods."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any, Final

import pytest

from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.model.admission.admission import Admission, JobController
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.workloads.catalog import SHARED
from cdk_emr_eks.simulation.control_plane.plane import Plane
from tests.simulation.admission_actors import Answer, Pod, account, call, driver, user_of
from tests.simulation.guarded_tenant import (
    NS,
    OTHER,
    OWN,
    ROLE,
    create,
    make_endpoint_account,
    make_tenant,
)
from tests.simulation.waiting import until

OPERATED: Final = "operated"
OPERATOR: Final = "system:serviceaccount:spark-operator:emr-containers-sa-spark-operator"
ORCHESTRATOR: Final = "system:serviceaccount:airflow:worker"
APPS: Final = f"/apis/sparkoperator.k8s.io/v1beta2/namespaces/{OPERATED}/sparkapplications"
DRIVER: Final = user_of(OPERATED, Component.DRIVER, ROLE)
# A driver of the other tenant.
THIEF: Final = user_of(NS, Component.DRIVER, ROLE)
PERSON: Final = "analyst"
# The service account that EMR's chart creates for drivers, without an execution role.
CHARTS_ACCOUNT: Final = "emr-containers-sa-spark"
UID: Final = "00000000-0000-0000-0000-000000000000"

_RBAC: Final = "/apis/rbac.authorization.k8s.io/v1"
_GROUP: Final = "rbac.authorization.k8s.io"
_APPLICATIONS: Final = {
    "apiGroups": ["sparkoperator.k8s.io"],
    "resources": ["sparkapplications", "sparkapplications/status"],
    "verbs": ["*"],
}
# Rights of EMR's chart in all namespaces, and those that Kubeflow's chart adds: budgets and claims.
# Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/spark-operator-security-rbac.html
OPERATOR_RULES: Final = (
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]},
    {
        "apiGroups": [""],
        "resources": ["services", "configmaps", "secrets", "persistentvolumeclaims"],
        "verbs": ["create", "get", "delete", "update"],
    },
    {
        "apiGroups": ["networking.k8s.io"],
        "resources": ["ingresses"],
        "verbs": ["create", "get", "delete"],
    },
    {
        "apiGroups": ["policy"],
        "resources": ["poddisruptionbudgets"],
        "verbs": ["create", "get", "delete"],
    },
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "update", "patch"]},
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "delete"]},
    _APPLICATIONS,
)


def application(name: str = "pi") -> dict[str, Any]:
    """A SparkApplication. Its CRD does not list its fields."""
    return {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "metadata": {"name": name},
        "spec": {"type": "Python", "mode": "cluster"},
    }


def operated_driver(role: str = ROLE) -> Pod:
    """A driver that the operator's spark-submit creates, after the operator's webhook.

    It has no logging container of EMR, and the security context of its SparkApplication.
    """
    pod = driver(SHARED, role, "pi-driver")
    pod["metadata"]["labels"] |= {
        "sparkoperator.k8s.io/app-name": "pi",
        "sparkoperator.k8s.io/launched-by-spark-operator": "true",
        "sparkoperator.k8s.io/submission-id": UID,
    }
    pod["metadata"]["ownerReferences"] = [owner()]
    spec = pod["spec"]
    spec["containers"] = spec["containers"][:1]
    spec["containers"][0]["name"] = "spark-kubernetes-driver"
    spec["volumes"] = [
        {"name": "spark-local-dir-1", "emptyDir": {}},
        {"name": "spark-conf-volume-driver", "configMap": {"name": "spark-drv-1-conf-map"}},
    ]
    return pod


def owner() -> dict[str, Any]:
    return {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "name": "pi",
        "uid": UID,
        "controller": True,
    }


def rights(plane: Plane, user: str, role: str, rules: object = None) -> None:
    """Give a user a role in all namespaces, as EMR's guide does."""
    if rules is not None:
        body = {"metadata": {"name": role}, "rules": rules}
        assert call(plane, None, "POST", f"{_RBAC}/clusterroles", body).status in (201, 409)
    bound = {
        "metadata": {"name": f"{role}-{user.replace(':', '-')}"},
        "roleRef": {"kind": "ClusterRole", "name": role, "apiGroup": _GROUP},
        "subjects": [{"kind": "User", "name": user, "apiGroup": _GROUP}],
    }
    path = f"{_RBAC}/clusterrolebindings"
    assert call(plane, None, "POST", path, bound).status in (201, 409)


def authorized(ask: Callable[[], Answer]) -> Answer:
    """Repeat a request until RBAC allows it, so that the response is that of admission."""
    return until(ask, lambda answer: "cannot create resource" not in answer.message)


def make_app(plane: Plane, user: str | None, **query: str) -> Answer:
    return call(plane, user, "POST", APPS, application(), **query)


@pytest.fixture(scope="module")
def operated(guarded: Plane) -> Plane:
    kind = {"plural": "sparkapplications", "singular": "sparkapplication"}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1beta2", "served": True, "storage": True, "subresources": {"status": {}}}
    definition = {
        "metadata": {
            "name": "sparkapplications.sparkoperator.k8s.io",
            "annotations": {"api-approved.kubernetes.io": "unapproved, a copy for tests"},
        },
        "spec": {
            "group": "sparkoperator.k8s.io",
            "scope": "Namespaced",
            "names": {**kind, "kind": "SparkApplication"},
            "versions": [{**version, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert call(guarded, None, "POST", path, definition).allowed
    controllers = (
        JobController(roles=(ROLE,)),
        JobController(namespace="airflow", service_account="worker", roles=(OTHER,)),
    )
    admission = Admission(registries=(OWN,), controllers=controllers)
    make_tenant(guarded, Tenant(name=OPERATED, admission=admission))
    # Service accounts exist and can create pods, so only the policies refuse them.
    for name in (account(Component.LIVY, ROLE), CHARTS_ACCOUNT):
        make_endpoint_account(guarded, OPERATED, name)
    for user in (OPERATOR, ORCHESTRATOR):
        rights(guarded, user, "spark-operator", OPERATOR_RULES)
    rights(guarded, PERSON, "applications", [_APPLICATIONS])
    made = partial(create, guarded, OPERATOR, operated_driver(), where=OPERATED)
    until(made, attrgetter("allowed"))
    until(partial(make_app, guarded, PERSON, dryRun="All"), attrgetter("allowed"))
    return guarded
