"""State machines and templates of jobs with their own namespace, and capacity buffers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from syrupy.assertion import SnapshotAssertion

from cdk_emr_eks import CRITICAL, CapacityBuffers, EphemeralJobSpec, Tenant, Zone
from cdk_emr_eks.model.ephemeral.clean import EphemeralCleaner
from cdk_emr_eks.model.ephemeral.job import placeholder
from cdk_emr_eks.model.ephemeral.namespace_stack import namespace_template
from cdk_emr_eks.model.ephemeral.run import EphemeralRun
from cdk_emr_eks.model.namespaces.namespace import namespace_manifest
from cdk_emr_eks.model.nodes.capacity_buffers import buffer_manifests

ZONES: Final = (Zone.named("eu-west-1a"), Zone.named("eu-west-1b"))
CLEANER: Final = "arn:aws:states:eu-west-1:111122223333:stateMachine:emr-etl-clean"
JOB: Final = EphemeralJobSpec(name="etl", workload="shared", entry_point="s3://lake/etl.py")


def test_state_machines(golden: SnapshotAssertion) -> None:
    run = EphemeralRun(
        name=JOB.name,
        partition="aws",
        cluster_name="platform",
        template="{}",
        stack={"RoleARN": "arn:aws:iam::111122223333:role/stacks"},
        job={
            "ExecutionRoleArn": "arn:aws:iam::111122223333:role/etl",
            "JobDriver": {"SparkSubmitJobDriver": {"EntryPoint": JOB.entry_point}},
        },
        arguments=("--day", "today"),
        timeout_minutes=JOB.timeout_minutes,
        cleaner=CLEANER,
        tags={"team": "sales"},
    )
    clean = EphemeralCleaner(name=JOB.name, partition="aws", cluster_name="platform")
    assert [run.definition(), clean.definition()] == golden(name="ephemeral-state-machines")


def test_template_of_a_namespace(golden: SnapshotAssertion) -> None:
    name = placeholder(JOB.name)
    tenant = Tenant(name=JOB.name)
    text = namespace_template(
        objects=[namespace_manifest(name, tenant.owner([]))],
        placeholder=name,
        service_token="arn:aws:lambda:eu-west-1:111122223333:function:kubectl",
        cluster_name="platform",
        role_arn="arn:aws:iam::111122223333:role/etl",
        service_accounts=("emr-containers-sa-spark-driver", "emr-containers-sa-spark-executor"),
    )
    names = {"machines": JOB.machine_names("platform"), "role": JOB.role_name("platform")}
    assert [names, json.loads(text)] == golden(name="ephemeral-namespace")


def test_capacity_buffers(golden: SnapshotAssertion) -> None:
    kept = replace(CRITICAL, capacity_buffers=CapacityBuffers(jobs=2, executors=8))
    assert list(buffer_manifests(kept, ZONES)) == golden(name="critical-capacity-buffers")
