"""Simulated pods and pods of Spark's own client are equal for the scheduler.

Both are admitted by a real API server, with the tenant's namespace of the reference platform.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from cdk_emr_eks.assembly.reader import open_assembly
from cdk_emr_eks.labels import SPARK_APP_SELECTOR, SparkRole
from cdk_emr_eks.model.access.execution_role import Component
from cdk_emr_eks.simulation.control_plane.kube_api import KubeApi
from cdk_emr_eks.simulation.control_plane.kube_types import namespaced
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.errors import SimulationUnavailable
from cdk_emr_eks.simulation.jobs.blueprint import Blueprint, read_blueprints
from cdk_emr_eks.simulation.jobs.emr_identities import identity_objects
from cdk_emr_eks.simulation.jobs.pods import (
    DriverReference,
    JobRun,
    driver_pod,
    emr_executor_template,
    emr_labels,
    executor_pod,
)
from cdk_emr_eks.simulation.jobs.spark_submit import SparkSubmit, find_jars, find_java
from tests.conftest import Assemblies
from tests.simulation.waiting import until

ACCOUNT: Final = "123456789012"
DRIVER: Final = """
import json, sys, time
from pyspark import SparkConf, SparkContext
SparkContext(conf=SparkConf().setAll(json.loads(sys.argv[1]).items()))
time.sleep(60)
"""
# Fields of a pod's spec that the scheduler, Karpenter, quotas or evictions read.
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


@pytest.fixture(scope="module")
def spark() -> None:
    try:
        find_java()
        find_jars()
    except SimulationUnavailable as error:
        pytest.skip(error.reason)


@pytest.fixture(scope="module")
def blueprints(assemblies: Assemblies) -> tuple[Blueprint, ...]:
    return read_blueprints(open_assembly(assemblies("reference").folder))


def seen_by_schedulers(pod: Any) -> Any:
    """Fields of an admitted pod that determine its node."""
    metadata, spec = pod["metadata"], pod["spec"]
    marks = dict(metadata["labels"])
    # Spark's client invents the id; the Spark version is that of the client.
    for key in (SPARK_APP_SELECTOR, "spark-version"):
        marks.pop(key)
    # The API server writes the application's id into the affinity, by matchLabelKeys.
    spec = json.loads(json.dumps(spec).replace(metadata["labels"][SPARK_APP_SELECTOR], "APP"))
    return {
        "labels": marks,
        "annotations": metadata.get("annotations"),
        "spec": {key: spec.get(key) for key in SCHEDULED_BY},
        # Spark's client puts sidecars first; the scheduler adds requests in any order.
        "resources": {each["name"]: each["resources"] for each in spec["containers"]},
        # Spark's volumes are an emptyDir and its configuration: neither needs a zone.
        "volumes": [each for each in spec["volumes"] if "persistentVolumeClaim" in each],
    }


async def prepared(api: KubeApi, folder: Path, blueprint: Blueprint) -> None:
    """Create the objects of the platform before the first job."""
    plurals = {
        "PriorityClass": "/apis/scheduling.k8s.io/v1/priorityclasses",
        "Namespace": "/api/v1/namespaces",
        "LimitRange": namespaced(blueprint.namespace, "limitranges"),
        "ResourceQuota": namespaced(blueprint.namespace, "resourcequotas"),
    }
    for item in open_assembly(folder).applied.objects:
        if item.kind in plurals and item.namespace in ("", blueprint.namespace):
            await api.create(plurals[item.kind], item.content)
    for path, content in identity_objects(blueprint, ACCOUNT):
        await api.create(path, content)


async def executor_by_spark(client: SparkDriver, run: JobRun, api: KubeApi) -> Any:
    """Start Spark's driver on this machine until it has created an executor; return the pod."""
    pods = namespaced(run.blueprint.namespace, "pods")
    loop = asyncio.get_running_loop()
    process = await client.start(run)

    def executors() -> Sequence[Any]:
        listing = api.list(pods, "spark-role=executor")
        found, _ = asyncio.run_coroutine_threadsafe(listing, loop).result()
        assert found or process.returncode is None
        return found

    try:
        (made,) = await asyncio.to_thread(until, executors)
        return made
    finally:
        process.kill()
        await process.wait()


class SparkDriver:
    """Spark's driver in client mode: it creates executors as a driver in a pod does."""

    def __init__(self, plane: Plane, api: KubeApi, authority: Path, folder: Path) -> None:
        self._plane = plane
        self._api = api
        self._authority = authority
        self._folder = folder

    async def start(self, run: JobRun) -> asyncio.subprocess.Process:
        template = self._folder / "executor.yaml"
        content = json.dumps(emr_executor_template(run), default=dict)
        await asyncio.to_thread(template.write_text, content)
        account = run.service_account(Component.DRIVER)
        path = namespaced(run.blueprint.namespace, "serviceaccounts", f"{account}/token")
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        made: Any = await self._api.create(path, request)
        conf = {
            **{k: v for k, v in run.spark.items() if not k.endswith("podTemplateFile")},
            "spark.dynamicAllocation.enabled": "false",
            "spark.executor.instances": "1",
            "spark.driver.memory": "1g",
            "spark.driver.host": "127.0.0.1",
            "spark.app.name": run.id,
            "spark.master": f"k8s://{self._plane.server}",
            "spark.ui.enabled": "false",
            "spark.kubernetes.namespace": run.blueprint.namespace,
            "spark.kubernetes.container.image": "emr",
            "spark.kubernetes.driver.pod.name": run.driver_name(1),
            "spark.kubernetes.executor.podTemplateFile": str(template),
            "spark.kubernetes.authenticate.oauthToken": made["status"]["token"],
            "spark.kubernetes.authenticate.caCertFile": str(self._authority),
            "spark.kubernetes.authenticate.executor.serviceAccountName": run.service_account(
                Component.EXECUTOR
            ),
            **{
                f"spark.kubernetes.executor.label.{key}": value
                for key, value in emr_labels(run.id, SparkRole.EXECUTOR).items()
            },
        }
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", DRIVER, json.dumps(conf)),
            env={**os.environ, "JAVA_HOME": str(find_java().resolve().parent.parent)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )


Pair = tuple[Any, Any]


async def both(plane: Plane, folder: Path, blueprint: Blueprint, tmp: Path) -> tuple[Pair, Pair]:
    """Return admitted drivers and executors, of Spark's client and of the simulation."""
    run = JobRun(id="by-spark", blueprint=blueprint, spark=blueprint.spark, account=ACCOUNT)
    by_hand = replace(run, id="by-hand")
    authority = tmp / "authority.pem"
    authority.write_bytes(base64.b64decode(plane.ca_bundle))
    async with KubeApi(plane.server, plane.token, authority.read_text()) as api:
        await prepared(api, folder, blueprint)
        client = SparkSubmit(api, server=plane.server, authority=authority, directory=tmp)
        await client.submit(run, 1)
        pods = namespaced(blueprint.namespace, "pods")
        driver = await api.get(f"{pods}/{run.driver_name(1)}")
        own_driver: Any = await api.create(pods, driver_pod(by_hand, 1))
        executor = await executor_by_spark(SparkDriver(plane, api, authority, tmp), run, api)
        reference = DriverReference(
            name=by_hand.driver_name(1),
            uid=own_driver["metadata"]["uid"],
            application=by_hand.application(1),
        )
        own_executor = await api.create(pods, executor_pod(by_hand, reference, 1))
        await api.delete("/api/v1/namespaces/" + blueprint.namespace)
    return (driver, named(own_driver)), (executor, named(own_executor))


def named(pod: Any) -> Any:
    return json.loads(json.dumps(pod).replace("by-hand", "by-spark"))


@pytest.fixture(scope="module")
def pairs(
    spark: None,
    plane: Plane,
    assemblies: Assemblies,
    blueprints: tuple[Blueprint, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Pair, Pair]:
    shared = next(each for each in blueprints if each.workload == "shared")
    folder = assemblies("reference").folder
    return asyncio.run(both(plane, folder, shared, tmp_path_factory.mktemp("spark")))


def test_drivers_are_equal_for_the_scheduler(pairs: tuple[Pair, Pair]) -> None:
    by_spark, direct = pairs[0]
    assert seen_by_schedulers(by_spark) == seen_by_schedulers(direct)
    # The comparison is not empty.
    assert by_spark["spec"]["topologySpreadConstraints"]


def test_executors_are_equal_for_the_scheduler(pairs: tuple[Pair, Pair]) -> None:
    by_spark, direct = pairs[1]
    assert seen_by_schedulers(by_spark) == seen_by_schedulers(direct)
    (rule,) = by_spark["spec"]["affinity"]["podAffinity"][
        "requiredDuringSchedulingIgnoredDuringExecution"
    ]
    (merged,) = rule["labelSelector"]["matchExpressions"]
    assert merged["values"] == [by_spark["metadata"]["labels"][SPARK_APP_SELECTOR]]
