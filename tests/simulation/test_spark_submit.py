"""Pods made directly and pods of Spark's own client are the same to a scheduler.

Both are admitted by a real API server, with the tenant's namespace of the reference platform.
"""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from cdk_emr_eks.labels import SPARK_APP_SELECTOR
from cdk_emr_eks.plan.assembly import read_assembly
from cdk_emr_eks.plan.objects import read_applied
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint, read_blueprints
from cdk_emr_eks.simulation.jobs.identity import identity_objects
from cdk_emr_eks.simulation.jobs.pods import JobRun, driver_pod
from cdk_emr_eks.simulation.jobs.spark_submit import SparkSubmit, find_jars, find_java
from cdk_emr_eks.simulation.kube_api import KubeApi, namespaced
from cdk_emr_eks.simulation.plane import Plane
from cdk_emr_eks.simulation.unavailable import SimulationUnavailable
from tests.conftest import Assemblies

ACCOUNT: Final = "123456789012"
SCHEDULED_BY: Final = (
    "affinity",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "restartPolicy",
    "schedulerName",
    "schedulingGates",
    "securityContext",
    "serviceAccountName",
    "terminationGracePeriodSeconds",
    "tolerations",
    "topologySpreadConstraints",
)
"""Fields of a pod's spec that the scheduler, Karpenter, quotas or evictions read."""


@pytest.fixture(scope="module")
def spark() -> None:
    try:
        find_java()
        find_jars()
    except SimulationUnavailable as error:
        pytest.skip(error.reason)


@pytest.fixture(scope="module")
def blueprints(assemblies: Assemblies) -> tuple[Blueprint, ...]:
    return read_blueprints(assemblies("reference").folder)


def seen_by_schedulers(pod: Any) -> Any:
    """What decides where an admitted pod goes."""
    metadata, spec = pod["metadata"], pod["spec"]
    marks = dict(metadata["labels"])
    # Made up by Spark's client; the Spark version is that of the client.
    for key in (SPARK_APP_SELECTOR, "spark-version"):
        marks.pop(key)
    return {
        "labels": marks,
        "annotations": metadata.get("annotations"),
        "spec": {key: spec.get(key) for key in SCHEDULED_BY},
        "resources": [
            (each["name"], each["resources"].get("requests"), each["resources"].get("limits"))
            for each in spec["containers"]
        ],
        # Spark's volumes are an emptyDir and its configuration: neither binds a pod to a place.
        "volumes": [each for each in spec["volumes"] if "persistentVolumeClaim" in each],
    }


async def prepared(api: KubeApi, folder: Path, blueprint: Blueprint) -> None:
    """Make what the platform has in the cluster before a job comes."""
    plurals = {
        "PriorityClass": "/apis/scheduling.k8s.io/v1/priorityclasses",
        "Namespace": "/api/v1/namespaces",
        "LimitRange": namespaced(blueprint.namespace, "limitranges"),
        "ResourceQuota": namespaced(blueprint.namespace, "resourcequotas"),
    }
    for item in read_applied(read_assembly(folder)).objects:
        if item.kind in plurals and item.namespace in ("", blueprint.namespace):
            await api.create(plurals[item.kind], item.content)
    for path, content in identity_objects(blueprint, ACCOUNT):
        await api.create(path, content)


async def both(plane: Plane, folder: Path, blueprint: Blueprint, tmp: Path) -> tuple[Any, Any]:
    """Return a driver pod of Spark's client and one made directly, as admitted."""
    # The namespace is this test's own: the plane is shared.
    run = JobRun(id="by-spark", blueprint=blueprint, spark=blueprint.spark, account=ACCOUNT)
    authority = tmp / "authority.pem"
    authority.write_bytes(base64.b64decode(plane.ca_bundle))
    async with KubeApi(plane.server, plane.token, authority.read_text()) as api:
        await prepared(api, folder, blueprint)
        client = SparkSubmit(api, server=plane.server, authority=authority, directory=tmp)
        await client.submit(run, 1)
        pods = namespaced(blueprint.namespace, "pods")
        by_spark = await api.get(f"{pods}/{run.driver_name(1)}")
        direct = await api.create(pods, driver_pod(replace(run, id="by-hand"), 1))
        text = json.dumps(direct).replace("by-hand", "by-spark")
        await api.delete("/api/v1/namespaces/" + blueprint.namespace)
    return by_spark, json.loads(text)


@pytest.mark.usefixtures("spark")
def test_drivers_are_the_same_to_a_scheduler(
    plane: Plane, assemblies: Assemblies, blueprints: tuple[Blueprint, ...], tmp_path: Path
) -> None:
    shared = next(each for each in blueprints if each.workload == "shared")
    folder = assemblies("reference").folder
    by_spark, direct = asyncio.run(both(plane, folder, shared, tmp_path))
    assert seen_by_schedulers(by_spark) == seen_by_schedulers(direct)
    # And the comparison looks at something.
    assert by_spark["spec"]["topologySpreadConstraints"]
    assert by_spark["metadata"]["labels"][SPARK_APP_SELECTOR].startswith("spark-")
