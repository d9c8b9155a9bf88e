"""Tenants on a control plane, as a deployment creates them; KWOK simulates the nodes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from kubernetes import client

from cdk_emr_eks.labels import CapacityType, SparkRole
from cdk_emr_eks.model.admission.cluster_policies import ADMISSION_POLICIES
from cdk_emr_eks.model.admission.mutation import submitter_priority
from cdk_emr_eks.model.namespaces.namespace import namespace_manifest
from cdk_emr_eks.model.tenants.emr_access import emr_role_manifests
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.deploy.objects import Objects
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint
from cdk_emr_eks.simulation.jobs.emr_identities import identity_objects
from tests.simulation.admission_actors import (
    ACCOUNT,
    EMR,
    JOB_CONTROLLER,
    Answer,
    Pod,
    call,
    driver,
    owned,
    submitter,
)
from tests.simulation.waiting import SECONDS, until

# Name of a driver that has ended, and owns the objects that tests create as a driver.
OWNER: Final = "owner"
_OTHERS: Final = f"metadata.name!={OWNER}"


def role_of(tenant: str) -> str:
    return f"emr-{tenant}"


def submitter_job(workload: Workload, tenant: str, role: str, name: str) -> dict[str, Any]:
    """The Job by which EMR submits a job, without priority class and affinity."""
    pod = submitter(workload, role, name)
    template = {"metadata": {"labels": {"emr-eks/workload": workload.name}}, "spec": pod["spec"]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": tenant},
        "spec": {"backoffLimit": 0, "template": template},
    }


class Land:
    """A control plane with the policies of the platform, and tenants.

    Args:
        plane: The control plane.
        workloads: The platform's workloads.
    """

    def __init__(self, plane: Plane, workloads: tuple[Workload, ...]) -> None:
        self.plane = plane
        self._objects = Objects(plane.client())
        self.core: Any = client.CoreV1Api(plane.client())
        self._workloads = {each.name: each for each in workloads}
        self._nodes: list[str] = []
        self._owners: dict[str, str] = {}
        for workload in workloads:
            self.make(*workload.priority_classes())
        for policy in ADMISSION_POLICIES:
            self.make(*policy.manifests())
        self.make(*submitter_priority())

    def make(self, *objects: Mapping[str, object]) -> None:
        made = self._objects.create(objects, overwrite=True, validate=True)
        assert (made.refused, made.unknown) == ((), ())

    def tenant(self, tenant: Tenant) -> None:
        """Create a tenant's namespace with its limits and policies, and EMR's accounts."""
        name = tenant.resolved_namespace
        owner = tenant.owner(tenant.selected_workloads(self._workloads))
        bounds = (*tenant.policies(), *emr_role_manifests(name))
        self.make(namespace_manifest(name, owner), *bounds)
        blueprint: Any = type("Made", (), {"namespace": name, "execution_role": role_of(name)})
        shape: Blueprint = blueprint
        for path, content in identity_objects(shape, ACCOUNT):
            # RBAC may not know EMR's new rights yet.
            until(partial(self._status, path, content), _is_made)
        self._await_priority(name, tenant.selected_workloads(self._workloads)[0])
        self._make_owner(name, tenant.selected_workloads(self._workloads)[0])
        if tenant.quota is not None:
            # Wait until quotas are counted.
            until(lambda: self.used(name), _is_free)

    def _make_owner(self, namespace: str, workload: Workload) -> None:
        """Create a driver that has ended: executors need an owner, and no quota counts it."""
        pod = driver(workload, role_of(namespace), OWNER)
        pod["spec"]["nodeSelector"] = {"nowhere": "true"}
        made: Any = self.core.create_namespaced_pod(namespace, pod)
        ended = {"status": {"phase": "Succeeded"}}
        self.core.patch_namespaced_pod_status(OWNER, namespace, ended)
        self._owners[namespace] = made.metadata.uid

    def _status(self, path: str, content: object) -> int:
        return call(self.plane, EMR, "POST", path, content).status

    def pods(self, namespace: str) -> list[Any]:
        return list(self.core.list_namespaced_pod(namespace, field_selector=_OTHERS).items)

    def empty(self, *namespaces: str) -> None:
        """Delete all pods, and wait until they are gone."""
        for name in namespaces:
            delete = self.core.delete_collection_namespaced_pod
            delete(name, field_selector=_OTHERS, grace_period_seconds=0)
            until(partial(self.pods, name), lambda found: not found)

    def _await_priority(self, namespace: str, workload: Workload) -> None:
        """Wait until submitters get their priority: the API server reads policies late."""
        pod = submitter(workload, role_of(namespace), "probe")
        with self.plane.client(as_user=JOB_CONTROLLER) as api:
            probe: Any = client.CoreV1Api(api).create_namespaced_pod

            def name() -> str:
                return str(probe(namespace, pod, dry_run="All").spec.priority_class_name)

            until(name, lambda found: found == workload.driver_priority_class)

    def node(self, name: str, workload: str, role: SparkRole, *, cpu: int = 8) -> None:
        """Create a node of a pool of the workload."""
        identity = {"emr-eks/workload": workload, "emr-eks/role": str(role)}
        taints = [{"key": k, "value": v, "effect": "NoSchedule"} for k, v in identity.items()]
        self._node(name, identity, taints, cpu)

    def open_node(self, name: str, workload: str, *, cpu: int) -> None:
        """Create a node without taints, like that of gateways."""
        self._node(name, {"emr-eks/workload": workload}, [], cpu)

    def remove_nodes(self) -> None:
        while self._nodes:
            self.core.delete_node(self._nodes.pop())

    def _node(
        self, name: str, identity: Mapping[str, str], taints: list[dict[str, str]], cpu: int
    ) -> None:
        size = {"cpu": str(cpu), "memory": f"{cpu * 8}Gi", "pods": "110"}
        labels = {
            **identity,
            "kwok.x-k8s.io/node": "fake",
            "kubernetes.io/hostname": name,
            "topology.kubernetes.io/zone": "us-east-1a",
            "karpenter.sh/capacity-type": str(CapacityType.ON_DEMAND),
        }
        self.core.create_node(
            {
                "metadata": {"name": name, "labels": labels},
                "spec": {"taints": taints},
                "status": {"allocatable": size, "capacity": size},
            }
        )
        self._nodes.append(name)

    def create(self, namespace: str, user: str, body: Pod, what: str = "pods") -> Answer:
        """Create an object; repeat the request on a conflict of the quota."""
        path = f"/api/v1/namespaces/{namespace}/{what}"
        if "ownerReferences" in body["metadata"]:
            owned(body, OWNER, self._owners[namespace])
        return until(
            lambda: call(self.plane, user, "POST", path, body), lambda found: found.status != 409
        )

    def used(self, namespace: str, quota: str = "tenant") -> dict[str, str]:
        return dict(self.core.read_namespaced_resource_quota(quota, namespace).status.used or {})

    def phase(self, namespace: str, name: str) -> str:
        try:
            pod = self.core.read_namespaced_pod(name, namespace)
        except client.ApiException as error:
            if error.status != 404:
                raise
            return "gone"
        return "ending" if pod.metadata.deletion_timestamp else str(pod.status.phase)

    def remove(self, namespace: str) -> tuple[str, ...]:
        """Delete a namespace with its objects; return those that remain."""
        item = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        return self._objects.delete([item], SECONDS)


def _is_free(used: dict[str, str]) -> bool:
    return bool(used) and used.get("pods", "0") == "0" and used.get("requests.cpu", "0") == "0"


def _is_made(status: int) -> bool:
    return status in (201, 409)
