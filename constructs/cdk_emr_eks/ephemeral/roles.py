"""The roles of ephemeral jobs, and their statements.

The statements are narrowed to resources that executions of one job create.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/emr-eks-iam.html,
https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/setting-up-iam.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_emr_eks.labels import SparkRole
from cdk_emr_eks.model.access.execution_role import ExecutionRoleSpec, RoleUse, service_account
from cdk_emr_eks.model.ephemeral.job import EPHEMERAL, EphemeralJobSpec, namespace_pattern
from cdk_emr_eks.model.ephemeral.namespace_stack import ASSOCIATION_TYPE, MANIFEST_TYPE
from cdk_emr_eks.security.iam import cluster_arn, pod_identity_trust, regional_arn
from cdk_emr_eks.security.iam_statements import Statement, allow
from cdk_emr_eks.tenants.claims import AppClaims
from cdk_emr_eks.tenants.execution_role import iam_role, suppress_wildcards
from cdk_emr_eks.tenants.job_role_policies import in_environment, read_templates, write_logs
from cdk_emr_eks.tenants.tenant import EmrEksTenant

LOG_DELIVERY: Final = "Step Functions delivers logs by calls that have no resource"
TRACES: Final = "X-Ray's calls for traces have no resource"

_NAMESPACE: Final = "aws:RequestTag/kubernetes-namespace"
_EVERYWHERE: Final = "*"
_CLUSTERS: Final = regional_arn("emr-containers", "/virtualclusters/*")
_RUNS: Final = regional_arn("emr-containers", "/virtualclusters/*/jobruns/*")


def ephemeral_role(
    scope: Construct, *, tenant: EmrEksTenant, job: EphemeralJobSpec, role: ExecutionRoleSpec
) -> iam.Role:
    """Create the execution role, which reads pod templates and writes the tenant's logs.

    Args:
        scope: Scope of the role.
        tenant: Tenant of the job.
        job: The job.
        role: Name and permissions.

    Raises:
        ConfigError: If the app has a role of that name.
    """
    rule = "must be unique"
    AppClaims.of(scope).claim(
        scope, "role", role.name, field="name", rule=rule, in_all_regions=True
    )
    location = tenant.context.pod_templates.location
    templates = [location(job.workload, each).object_arn for each in SparkRole]
    logging = write_logs(tenant.log_group_name, tenant.tenant.logs.s3_location)
    cluster = tenant.context.cluster_name
    made = iam_role(
        scope,
        role,
        description=f"EMR jobs of {job.name} on cluster {cluster}",
        trust=_trust(cluster, job, role),
        statements=[
            read_templates(templates),
            *logging,
            *(in_environment(permission).statement() for permission in role.permissions),
        ],
    )
    suppress_wildcards(scope, role, made, logging)
    return made


def service_accounts(role: ExecutionRoleSpec) -> list[str]:
    """Return the service accounts that EMR creates for jobs of the role."""
    return [service_account(each, Aws.ACCOUNT_ID, role.name) for each in RoleUse.JOBS.components]


def _trust(cluster: str, job: EphemeralJobSpec, role: ExecutionRoleSpec) -> dict[str, object]:
    document = pod_identity_trust(
        cluster_name=cluster,
        namespace=namespace_pattern(job.name),
        service_accounts=service_accounts(role),
    )
    (statement,) = cast(list[dict[str, dict[str, dict[str, object]]]], document["Statement"])
    condition = statement["Condition"]
    condition["StringLike"] = {_NAMESPACE: condition["StringEquals"].pop(_NAMESPACE)}
    return document


@dataclass(frozen=True, kw_only=True, slots=True)
class EphemeralRights:
    """Statements and trust policies of the roles of one job.

    Args:
        spec: The job.
        cluster_name: Name of the EKS cluster.
        job_role: ARN of the job's execution role.
        stack_role: ARN of the role with which CloudFormation creates the namespaces.
    """

    spec: EphemeralJobSpec
    cluster_name: str
    job_role: str
    stack_role: str

    def runner(self) -> list[Statement]:
        """Return the statements of the state machine that runs the job."""
        tagged = {"StringEquals": {f"aws:RequestTag/{EPHEMERAL}": self.spec.name}}
        own = {"StringEquals": {f"aws:ResourceTag/{EPHEMERAL}": self.spec.name}}
        role = {"ArnEquals": {"emr-containers:ExecutionRoleArn": self.job_role}}
        cleaner, executions = self._machine(1), self._executions(1)
        rule = regional_arn("events", "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule")
        types = {"cloudformation:ResourceTypes": [MANIFEST_TYPE, ASSOCIATION_TYPE]}
        stacks: Mapping[str, Mapping[str, object]] = {
            "StringEquals": {"cloudformation:RoleArn": self.stack_role},
            "ForAllValues:StringEquals": types,
            "Null": {"cloudformation:ResourceTypes": "false"},
        }
        return [
            allow("MakeNamespace", "cloudformation:CreateStack", self._stacks, stacks),
            allow("TagNamespace", "cloudformation:TagResource", self._stacks),
            allow("FollowNamespace", "cloudformation:DescribeStacks", self._stacks),
            allow("PassStackRole", "iam:PassRole", self.stack_role, _passed("cloudformation")),
            # The action supports no resource.
            allow("MakeCluster", "emr-containers:CreateVirtualCluster", _EVERYWHERE, tagged),
            allow("TagIt", "emr-containers:TagResource", [_CLUSTERS, _RUNS], tagged),
            allow("FollowCluster", "emr-containers:DescribeVirtualCluster", _CLUSTERS, own),
            allow("StartJob", "emr-containers:StartJobRun", _CLUSTERS, {**own, **role}),
            allow("FollowJob", _containers("DescribeJobRun", "CancelJobRun"), _RUNS, own),
            allow("PassJobRole", "iam:PassRole", self.job_role, _passed("pods.eks")),
            allow("StartCleaner", "states:StartExecution", cleaner),
            allow(
                "FollowCleaner", ["states:DescribeExecution", "states:StopExecution"], executions
            ),
            allow("HearOfCleaner", _events("PutTargets", "PutRule", "DescribeRule"), rule),
            *self._access(),
            *_watched(),
        ]

    def cleaner(self) -> list[Statement]:
        """Return the statements of the state machine that cleans up."""
        own = {"StringEquals": {f"aws:ResourceTag/{EPHEMERAL}": self.spec.name}}
        cluster = _containers("DescribeVirtualCluster", "DeleteVirtualCluster", "ListJobRuns")
        return [
            allow("FindBeginning", "states:DescribeExecution", self._executions(0)),
            # The action searches all virtual clusters and supports no resource.
            allow("FindCluster", "emr-containers:ListVirtualClusters", _EVERYWHERE),
            allow("RemoveCluster", cluster, _CLUSTERS, own),
            allow("CancelJobs", "emr-containers:CancelJobRun", _RUNS, own),
            allow(
                "RemoveNamespace",
                ["cloudformation:DeleteStack", "cloudformation:DescribeStacks"],
                self._stacks,
            ),
            *self._access(),
            *_watched(),
        ]

    def namespaces(self, service_token: str) -> list[Statement]:
        """Return CloudFormation's statements for a namespace: kubectl handler and associations.

        Args:
            service_token: ARN of the kubectl provider's function.
        """
        associations = regional_arn("eks", f"podidentityassociation/{self.cluster_name}/*")
        verbs = ("Describe", "Delete", "Update")
        return [
            allow("Kubernetes", "lambda:InvokeFunction", service_token),
            allow(
                "MakeAssociations",
                "eks:CreatePodIdentityAssociation",
                cluster_arn(self.cluster_name),
            ),
            allow(
                "RemoveAssociations",
                [f"eks:{verb}PodIdentityAssociation" for verb in verbs]
                + ["eks:TagResource", "eks:UntagResource"],
                associations,
            ),
            allow("PassJobRole", "iam:PassRole", self.job_role, _passed("pods.eks")),
            allow("LookAtJobRole", "iam:GetRole", self.job_role),
        ]

    def submitter(self) -> list[Statement]:
        """Return the statements to run the job, and to follow and stop its executions."""
        verbs = ("DescribeExecution", "GetExecutionHistory", "StopExecution")
        return [
            allow(
                "StartExecutions",
                ["states:StartExecution", "states:ListExecutions"],
                self._machine(0),
            ),
            allow("FollowExecutions", [f"states:{verb}" for verb in verbs], self._executions(0)),
        ]

    def stack_trust(self) -> dict[str, object]:
        """Return the trust policy for CloudFormation, for stacks of this job's namespaces only."""
        condition = {
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            "ArnLike": {"aws:SourceArn": self._stacks},
        }
        return trust("cloudformation.amazonaws.com", condition)

    def machine_trust(self, number: int) -> dict[str, object]:
        """Return the trust policy for Step Functions, for one of the two state machines."""
        condition = {
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            "ArnLike": {"aws:SourceArn": self._machine(number)},
        }
        return trust("states.amazonaws.com", condition)

    @property
    def _stacks(self) -> str:
        return regional_arn("cloudformation", f"stack/{namespace_pattern(self.spec.name)}/*")

    def _machine(self, number: int) -> str:
        name = self.spec.machine_names(self.cluster_name)[number]
        return regional_arn("states", f"stateMachine:{name}")

    def _executions(self, number: int) -> str:
        name = self.spec.machine_names(self.cluster_name)[number]
        return regional_arn("states", f"execution:{name}:*")

    def _access(self) -> list[Statement]:
        """Return the statements for EMR's access entry, which EMR changes as the caller."""
        linked = f"role/{Aws.ACCOUNT_ID}/AWSServiceRoleForAmazonEMRContainers/*"
        entry = regional_arn("eks", f"access-entry/{self.cluster_name}/{linked}")
        verbs = ("DescribeAccessEntry", "DeleteAccessEntry", "ListAssociatedAccessPolicies")
        scope = {"StringEquals": {"eks:accessScope": "namespace"}}
        return [
            allow("MakeAccessEntry", "eks:CreateAccessEntry", cluster_arn(self.cluster_name)),
            allow("SeeAccessEntry", [f"eks:{verb}" for verb in verbs], entry),
            allow(
                "ChangeAccessEntry",
                ["eks:AssociateAccessPolicy", "eks:DisassociateAccessPolicy"],
                entry,
                scope,
            ),
        ]


def trust(service: str, condition: Mapping[str, object]) -> dict[str, object]:
    """Return a trust policy of one AWS service."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": dict(condition),
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _watched() -> list[Statement]:
    """Return the statements for logs and traces that Step Functions requires."""
    verbs = ("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery")
    more = ("ListLogDeliveries", "PutResourcePolicy", "DescribeResourcePolicies")
    traces = ("PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets")
    logs = [f"logs:{verb}" for verb in (*verbs, *more)]
    return [
        allow("DeliverLogs", logs, _EVERYWHERE),
        allow("FindLogGroup", "logs:DescribeLogGroups", regional_arn("logs", "log-group:*")),
        allow("Trace", [f"xray:{verb}" for verb in traces], _EVERYWHERE),
    ]


def _passed(service: str) -> dict[str, object]:
    return {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}


def _containers(*verbs: str) -> list[str]:
    return [f"emr-containers:{verb}" for verb in verbs]


def _events(*verbs: str) -> list[str]:
    return [f"events:{verb}" for verb in verbs]
