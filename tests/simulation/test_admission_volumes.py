"""Volumes of tenants' pods: only the listed types of all volume types of Kubernetes."""

from __future__ import annotations

from typing import Any, Final

import pytest

from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.model.nodes.storage_class import EXECUTOR_STORAGE_CLASS
from cdk_emr_eks.model.workloads.catalog import SHARED
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.deploy.objects import Objects
from tests.simulation.admission_actors import executor, user_of
from tests.simulation.guarded_tenant import AUDITED, DRIVER, ROLE, create

_CLAIM: Final = {
    "accessModes": ["ReadWriteOnce"],
    "storageClassName": EXECUTOR_STORAGE_CLASS,
    "resources": {"requests": {"storage": "10Gi"}},
}
_BY_ID: Final = {"volumeID": "vol-1"}
LISTED: Final[dict[str, dict[str, Any]]] = {
    "configMap": {"name": "settings"},
    "downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]},
    "emptyDir": {},
    "ephemeral": {"volumeClaimTemplate": {"spec": _CLAIM}},
    "persistentVolumeClaim": {"claimName": "mine"},
    "projected": {"sources": [{"configMap": {"name": "settings"}}]},
    "secret": {"secretName": "mine"},
}
UNLISTED: Final[dict[str, dict[str, Any]]] = {
    "awsElasticBlockStore": _BY_ID,
    "azureDisk": {"diskName": "d", "diskURI": "https://a.blob.core.windows.net/c/d.vhd"},
    "azureFile": {"secretName": "s", "shareName": "share"},
    "cephfs": {"monitors": ["10.0.0.1"]},
    "cinder": _BY_ID,
    # An inline volume, which a driver of the node mounts with any attributes.
    "csi": {"driver": "s3.csi.aws.com", "volumeAttributes": {"bucketName": "of-a-victim"}},
    "fc": {"targetWWNs": ["50060e801049cfd1"], "lun": 0},
    "flexVolume": {"driver": "example.com/driver"},
    "flocker": {"datasetName": "d"},
    "gcePersistentDisk": {"pdName": "d"},
    "gitRepo": {"repository": "https://example.com/r.git"},
    "glusterfs": {"endpoints": "e", "path": "p"},
    "hostPath": {"path": "/"},
    "image": {"reference": "docker.io/library/miner:1"},
    "iscsi": {"targetPortal": "10.0.0.1:3260", "iqn": "iqn.2001-04.com.example:s", "lun": 0},
    "nfs": {"server": "10.0.0.1", "path": "/"},
    "photonPersistentDisk": {"pdID": "d"},
    "portworxVolume": _BY_ID,
    "quobyte": {"registry": "10.0.0.1:7861", "volume": "v"},
    "rbd": {"monitors": ["10.0.0.1"], "image": "i"},
    "scaleIO": {
        "gateway": "https://g",
        "system": "s",
        "secretRef": {"name": "s"},
        "volumeName": "v",
    },
    "storageos": {"volumeName": "v"},
    "vsphereVolume": {"volumePath": "[d] v"},
}


def _with(kind: str, source: dict[str, Any]) -> dict[str, Any]:
    pod = executor(SHARED, ROLE)
    pod["spec"]["volumes"].append({"name": "more", kind: source})
    return pod


def test_volume_types_are_those_of_the_api_server(guarded: Plane) -> None:
    document, _ = Objects(guarded.client()).request("GET", "/openapi/v3/api/v1")
    schemas: Any = document["components"]
    known = set(schemas["schemas"]["io.k8s.api.core.v1.Volume"]["properties"]) - {"name"}
    assert known == LISTED.keys() | UNLISTED.keys()


@pytest.mark.parametrize("kind", LISTED)
def test_listed_volumes_are_admitted(guarded: Plane, kind: str) -> None:
    answer = create(guarded, DRIVER, _with(kind, LISTED[kind]))
    assert answer.allowed, answer.message


@pytest.mark.parametrize("kind", UNLISTED)
def test_other_volumes_are_refused(guarded: Plane, kind: str) -> None:
    answer = create(guarded, DRIVER, _with(kind, UNLISTED[kind]))
    assert not answer.allowed
    # By this rule; Pod Security already refuses paths of the node.
    expected = "hostPath" if kind == "hostPath" else "volumes must be one of configMap"
    assert expected in answer.message


def test_only_the_policy_refuses_an_inline_volume(guarded: Plane) -> None:
    """In audit mode, Pod Security and the API server admit it."""
    someone = user_of(AUDITED, Component.DRIVER, ROLE)
    answer = create(guarded, someone, _with("csi", UNLISTED["csi"]), where=AUDITED)
    assert answer.allowed, answer.message
    assert "volumes must be one of configMap" in answer.warning
