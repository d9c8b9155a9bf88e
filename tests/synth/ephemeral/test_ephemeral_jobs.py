"""Ephemeral jobs: what stands in the template runs in the interpreter, and who may do what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import aws_cdk as cdk
import pytest

from cdk_emr_eks.ephemeral.jobs import EphemeralJobs
from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.ephemeral.clean import EphemeralCleaner
from cdk_emr_eks.model.ephemeral.job import EphemeralJobSpec
from cdk_emr_eks.model.namespaces.namespace import LimitDefaults
from cdk_emr_eks.model.namespaces.quota import Quota
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.model.tenants.virtual_cluster import EmrAccess, VirtualClusterOptions
from cdk_emr_eks.tenants.tenant import EmrEksTenant
from cdk_emr_eks.units import Cpu, Memory
from tests.synth.ephemeral.ephemeral_app import JOB, synthesized
from tests.synth.iam_decisions import Account as Deployed
from tests.synth.tenants.tenancy_app import new_app, new_context
from tests.unit.ephemeral.asl_interpreter import run
from tests.unit.ephemeral.ephemeral_account import Account

ARN: Final = "arn:aws:states:eu-west-1:111122223333:execution:emr-research-1:first"
NAMESPACE: Final = f"research-{hashlib.sha1(ARN.encode()).hexdigest()}"
PATTERN: Final = f"research-{'?' * 40}"
Properties = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """A cleaner as it stands in the template, in place of the one that is built."""

    text: Mapping[str, object]

    def definition(self) -> dict[str, object]:
        return dict(self.text)


@pytest.fixture(scope="module")
def deployed() -> Deployed:
    return Deployed(synthesized().templates)


@pytest.fixture(scope="module")
def machines(deployed: Deployed) -> tuple[Properties, Properties]:
    """The state machines of the template: what runs, what cleans."""
    found = {
        properties["StateMachineName"]: properties
        for stack, _, properties in deployed.of_type("AWS::StepFunctions::StateMachine")
        if stack == "Elsewhere"
    }
    first, second = (cast(Properties, found[name]) for name in sorted(found))
    return first, second


@pytest.fixture(scope="module")
def account(deployed: Deployed, machines: tuple[Properties, Properties]) -> Account:
    """The account after one execution of what the template says."""
    texts = [deployed.text("Elsewhere", each["DefinitionString"]) for each in machines]
    job, cleaner = (json.loads(text) for text in texts)
    services = Account(cleaner=cast(EphemeralCleaner, Rendered(cleaner)))
    ended = run(job, {}, services, arn=ARN)
    assert (ended.status, services.left) == ("SUCCEEDED", [])
    return services


def test_the_job_is_the_tenants(account: Account, deployed: Deployed) -> None:
    given = account.parameters["startJobRun.sync"]
    assert given["JobDriver"]["SparkSubmitJobDriver"] == {
        "EntryPoint": "s3://code/research.py",
        "EntryPointArguments": ["--depth", "3"],
        "SparkSubmitParameters": "--conf spark.sql.ansi.enabled=true",
    }
    monitoring = given["ConfigurationOverrides"]["MonitoringConfiguration"]
    watch = monitoring["CloudWatchMonitoringConfiguration"]
    assert watch["LogGroupName"] == "/emr-on-eks/data-platform/quants"
    defaults = given["ConfigurationOverrides"]["ApplicationConfiguration"][0]
    assert "spark.kubernetes.driver.podTemplateFile" in defaults["Properties"]
    assert given["Tags"] == {
        "emr-eks/tenant": "quants",
        "team": "research",
        "emr-eks/ephemeral-job": "research",
    }


def test_the_namespace_has_the_tenants_bounds(account: Account, deployed: Deployed) -> None:
    given = account.parameters["createStack"]
    template = json.loads(given["TemplateBody"])
    parts = template["Resources"]["Namespace"]["Properties"]["Manifest"]["Fn::Join"][1]
    text = "".join(NAMESPACE if isinstance(part, dict) else part for part in parts)
    objects = {item["kind"]: item for item in json.loads(text)}
    assert objects["Namespace"]["metadata"]["name"] == NAMESPACE
    assert objects["Namespace"]["metadata"]["labels"]["emr-eks/tenant"] == "quants"
    assert objects["Namespace"]["metadata"]["annotations"]["emr-eks/workloads"] == "shared"
    assert objects["ResourceQuota"]["spec"]["hard"]["requests.cpu"] == "64"
    assert {"LimitRange", "NetworkPolicy"} <= set(objects)
    others = [item for item in objects.values() if item["kind"] != "Namespace"]
    assert {item["metadata"]["namespace"] for item in others} == {NAMESPACE}
    assert "0" * 40 not in given["TemplateBody"]
    kinds = {item["Type"] for item in template["Resources"].values()}
    assert kinds == set(given["ResourceTypes"])


def test_the_job_has_its_role_in_namespaces_of_its_own_only(deployed: Deployed) -> None:
    (role,) = [
        properties
        for _, _, properties in deployed.of_type("AWS::IAM::Role")
        if str(properties.get("RoleName", "")).startswith("emr-research-")
    ]
    condition = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    assert condition["StringLike"] == {"aws:RequestTag/kubernetes-namespace": PATTERN}
    assert "aws:RequestTag/kubernetes-namespace" not in condition["StringEquals"]
    accounts = condition["StringEquals"]["aws:RequestTag/kubernetes-service-account"]
    assert len(accounts) == 3
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert deployed.text("Elsewhere", statements[-1]["Resource"]) == (
        "arn:aws:s3:::scratch/${aws:PrincipalTag/kubernetes-namespace}/*"
    )


def rights(deployed: Deployed, sid: str) -> tuple[Properties, ...]:
    """Statements of a Sid in the stack of the job."""
    return tuple(
        statement
        for stack, _, properties in deployed.of_type("AWS::IAM::Role")
        for policy in properties.get("Policies", ())
        for statement in policy["PolicyDocument"]["Statement"]
        if stack == "Elsewhere" and statement.get("Sid") == sid
    )


def test_stacks_are_of_one_role_and_two_types(deployed: Deployed) -> None:
    (made,) = rights(deployed, "MakeNamespace")
    assert deployed.text("Elsewhere", made["Resource"]).endswith(f":stack/{PATTERN}/*")
    assert made["Condition"]["ForAllValues:StringEquals"] == {
        "cloudformation:ResourceTypes": [
            "Custom::AWSCDK-EKS-KubernetesResource",
            "AWS::EKS::PodIdentityAssociation",
        ]
    }
    assert set(made["Condition"]["StringEquals"]) == {"cloudformation:RoleArn"}


@pytest.mark.parametrize("sid", ["StartJob", "FollowJob", "FollowCluster", "RemoveCluster"])
def test_virtual_clusters_of_others_are_out_of_reach(deployed: Deployed, sid: str) -> None:
    (found,) = rights(deployed, sid)
    own = found["Condition"]["StringEquals"]
    assert own == {"aws:ResourceTag/emr-eks/ephemeral-job": "research"}


def test_a_caller_of_the_job_has_no_other_permissions(deployed: Deployed) -> None:
    (policy,) = [
        properties["PolicyDocument"]["Statement"]
        for stack, id, properties in deployed.of_type("AWS::IAM::Policy")
        if stack == "Elsewhere" and id.startswith("People")
    ]
    actions = [action for each in policy for action in each["Action"]]
    assert sorted(actions) == [
        "states:DescribeExecution",
        "states:GetExecutionHistory",
        "states:ListExecutions",
        "states:StartExecution",
        "states:StopExecution",
    ]
    names = [deployed.text("Elsewhere", each["Resource"]).split(":", 5)[5] for each in policy]
    assert [name.split(":")[0] for name in names] == ["stateMachine", "execution"]
    assert all("-clean" not in name for name in names)


def test_what_ends_otherwise_is_cleaned_up(deployed: Deployed) -> None:
    rules = [each for each in deployed.of_type("AWS::Events::Rule") if each[0] == "Elsewhere"]
    ((_, _, rule),) = rules
    assert rule["EventPattern"]["detail"]["status"] == ["ABORTED", "FAILED", "TIMED_OUT"]
    (target,) = rule["Targets"]
    transformer = target["InputTransformer"]
    event = {"detail": {"executionArn": ARN}}
    value = event["detail"][transformer["InputPathsMap"]["execution"].rpartition(".")[2]]
    text = transformer["InputTemplate"].replace("<execution>", json.dumps(value))
    assert json.loads(text) == {"execution": ARN, "virtualCluster": {}}


def test_no_function_is_made(deployed: Deployed) -> None:
    functions = deployed.of_type("AWS::Lambda::Function")
    assert {stack for stack, _, _ in functions} == {"Platform"}


def make(spec: EphemeralJobSpec, tenant: Tenant) -> None:
    stack = cdk.Stack(new_app(), "Platform")
    owner = EmrEksTenant(stack, "T", context=new_context(stack), tenant=tenant)
    EphemeralJobs(stack, "Job", tenant=owner, spec=spec)


def test_bad_input_is_refused() -> None:
    small = Quota(cpu=Cpu(100), memory=Memory(100))
    job = EphemeralJobSpec(name="j", workload="shared", entry_point="s3://b/j.py", quota=small)
    with pytest.raises(ConfigError, match=r"quota\.cpu must be at least"):
        make(job, Tenant(name="t", limit_defaults=LimitDefaults()))
    job = EphemeralJobSpec(name="j", workload="critical", entry_point="s3://b/j.py")
    with pytest.raises(ConfigError, match="workload must be one of shared"):
        make(job, Tenant(name="t", workloads=("shared",)))
    job = EphemeralJobSpec(name="j", workload="shared", entry_point="s3://b/j.py")
    options = VirtualClusterOptions(access=EmrAccess.AWS_AUTH)
    with pytest.raises(ConfigError, match="must let EMR in by access entries"):
        make(job, Tenant(name="t", virtual_cluster=options))


def test_a_name_is_of_one_job_of_a_cluster() -> None:
    stack = cdk.Stack(new_app(), "Platform")
    owner = EmrEksTenant(stack, "T", context=new_context(stack), tenant=Tenant(name="t"))
    EphemeralJobs(stack, "One", tenant=owner, spec=JOB)
    with pytest.raises(ConfigError, match="name must be unique"):
        EphemeralJobs(stack, "Two", tenant=owner, spec=JOB)
