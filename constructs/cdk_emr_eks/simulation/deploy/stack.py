"""Deploy one template, resource by resource, in the order of CloudFormation."""

from __future__ import annotations

import graphlib
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from kubernetes import client

from cdk_emr_eks.assembly.evaluation import (
    Resolver,
    ResolverContext,
    ResourceValues,
    UnresolvableError,
)
from cdk_emr_eks.assembly.objects import CHART, KUBERNETES_PREFIX, MANIFEST
from cdk_emr_eks.assembly.paths import at, mapping, sequence, text
from cdk_emr_eks.assembly.references import names
from cdk_emr_eks.assembly.stack import Stack
from cdk_emr_eks.simulation.deploy import access, eks, kubectl, services
from cdk_emr_eks.simulation.deploy.account import ROWS, deploy_row
from cdk_emr_eks.simulation.deploy.model import (
    Deployed,
    DeployOutcome,
    DeployTarget,
    NotSimulatedError,
    Request,
    ResourceRecord,
    Undo,
    physical_name,
)
from cdk_emr_eks.simulation.errors import DeploymentFailedError

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.aws import EmulatedAws

_NESTED: Final = "AWS::CloudFormation::Stack"
# Resources with these deletion policies stay when the stack is deleted.
_KEPT: Final = frozenset({"Retain", "Snapshot"})
_SSM: Final = "AWS::SSM::Parameter::Value<"
_BOOTSTRAP: Final = "/cdk-bootstrap/"
# A recent CDK bootstrapped the emulated account.
_BOOTSTRAP_VERSION: Final = "30"

_ACCOUNT: Final[Mapping[str, Callable[[Request, EmulatedAws], Deployed]]] = {
    "AWS::EC2::SecurityGroup": services.deploy_security_group,
    "AWS::Events::Rule": services.deploy_rule,
    "AWS::IAM::InstanceProfile": services.deploy_instance_profile,
    "AWS::IAM::ManagedPolicy": services.deploy_managed_policy,
    "AWS::IAM::Policy": services.deploy_policy,
    "AWS::IAM::Role": services.deploy_role,
    "AWS::IAM::ServiceLinkedRole": services.deploy_service_linked_role,
    "AWS::Logs::LogGroup": services.deploy_log_group,
    "AWS::SQS::Queue": services.deploy_queue,
    "AWS::SQS::QueuePolicy": services.deploy_queue_policy,
    "AWS::SSM::Parameter": services.deploy_parameter,
}
_CLUSTER: Final[Mapping[str, Callable[[Request, DeployTarget], Deployed]]] = {
    CHART: kubectl.deploy_chart,
    MANIFEST: kubectl.deploy_manifest,
    "AWS::EKS::AccessEntry": access.deploy_access_entry,
    "AWS::EKS::Addon": eks.deploy_addon,
    "AWS::EKS::Cluster": eks.deploy_cluster,
    "AWS::EKS::Nodegroup": eks.deploy_node_group,
    "AWS::EKS::PodIdentityAssociation": access.deploy_pod_identity,
    "AWS::EMRContainers::VirtualCluster": access.deploy_virtual_cluster,
}
# Types of which other resources use only an identifier, with the reason.
_RECORDED: Final[Mapping[str, str]] = {
    "AWS::EC2::FlowLog": "no packet is sent",
    "AWS::EC2::SecurityGroupEgress": "no packet is sent",
    "AWS::EC2::SecurityGroupIngress": "no packet is sent",
    "AWS::EC2::SubnetCidrReservation": "pods get no address of the VPC",
    "AWS::EMRContainers::JobTemplate": "jobs are submitted from the stack's outputs",
    "AWS::EMRContainers::SecurityConfiguration": "no job runs a program",
    "AWS::Lambda::Function": "no function runs: the simulation handles its custom resources",
    "AWS::Lambda::LayerVersion": "no function runs",
    "AWS::Lambda::Permission": "no function runs",
    "AWS::StepFunctions::StateMachine": "no execution is started",
}
# The same for all types with a prefix.
_RECORDED_SERVICES: Final[Mapping[str, str]] = {
    "AWS::Budgets::": "nothing is paid",
    "AWS::CDK::": "it deploys nothing",
    "AWS::CloudWatch::": "nothing writes metrics",
    "AWS::ECR::": "no image is started",
    "AWS::EMR::Studio": "no user signs in",
    "AWS::Glue::": "no job reads a table",
    "AWS::Logs::": "nothing writes logs",
    "AWS::S3::": "nothing is stored",
}


@dataclass(kw_only=True, slots=True)
class StackDeployment:
    """Deploys one stack and its nested stacks.

    Args:
        stack: Stack of the assembly.
        name: Name in CloudFormation.
        templates: Templates of all stacks, with the ids of the emulated network.
        target: Control plane and account.
        exports: Exports of all stacks, by name. Each stack adds its exports.
        outputs_of_stacks: Outputs of all stacks, by stack and output. Each stack adds its outputs.
        resources: Outcomes so far, with those of nested stacks.
        values: Values of deployed resources, for references of the template.
        undo_steps: How to delete what was deployed, by resource, in the order of deployment.
        outputs: Values of the outputs, by the attribute that ``Fn::GetAtt`` of a parent names.
    """

    stack: Stack
    name: str
    templates: Mapping[Stack, Mapping[str, object]]
    target: DeployTarget
    exports: dict[str, object]
    outputs_of_stacks: dict[tuple[str, str], object]
    resources: list[ResourceRecord] = field(default_factory=list)
    values: dict[str, ResourceValues] = field(default_factory=dict)
    undo_steps: list[tuple[str, Undo]] = field(default_factory=list)
    outputs: dict[str, object] = field(default_factory=dict)

    @property
    def template(self) -> Mapping[str, object]:
        """Template of the stack."""
        return self.templates[self.stack]

    def run(self, parameters: Mapping[str, object]) -> Iterator[ResourceRecord]:
        """Deploy the resources, and yield the outcome of each.

        Args:
            parameters: Values of the template's parameters. Default: the template's defaults.

        Raises:
            DeploymentFailedError: If the real deployment would fail at this point.
        """
        resolver = Resolver(self.template, self._context(parameters), self.values)
        resources = mapping(self.template, "Resources")
        try:
            self._check_rules(resolver)
            order = creation_order(resources)
        except UnresolvableError as error:
            raise DeploymentFailedError(self.name, "", (str(error),)) from error
        for logical_id in order:
            record = self._deploy(logical_id, mapping(resources, logical_id), resolver)
            self.resources.append(record)
            yield record
        self._keep_outputs(resolver)

    def undo(self, seconds: float) -> tuple[str, ...]:
        """Delete what was deployed, in reverse order; return the problems.

        Args:
            seconds: Time for the whole deletion.
        """
        end = time.monotonic() + seconds
        problems: list[str] = []
        while self.undo_steps:
            where, step = self.undo_steps.pop()
            try:
                found = step(max(end - time.monotonic(), 0.0))
            except (ClientError, BotoCoreError, client.ApiException) as error:
                found = (str(error),)
            problems += (f"{where}: {problem}" for problem in found)
        return tuple(problems)

    def _deploy(
        self, logical_id: str, body: Mapping[str, object], resolver: Resolver
    ) -> ResourceRecord:
        kind, condition = text(body, "Type"), body.get("Condition")
        bare = Request(stack=self.name, logical_id=logical_id, type=kind, properties={})
        try:
            if condition is not None and not resolver.condition(str(condition)):
                why = f"the condition {condition} is false"
                return self._record(bare, DeployOutcome.OMITTED, why)
            properties = mapping(resolver.value(body.get("Properties") or {}))
            request = Request(
                stack=self.name, logical_id=logical_id, type=kind, properties=properties
            )
            if kind == _NESTED:
                deployed = self._deploy_nested(request)
            else:
                deployed = deploy_resource(request, self.target)
        except (NotSimulatedError, UnresolvableError) as error:
            return self._not_simulated(bare, str(error))
        except (ClientError, BotoCoreError) as error:
            return self._not_simulated(bare, f"the emulated AWS refuses it: {error}")
        self.values[logical_id] = deployed.values
        if deployed.undo and body.get("DeletionPolicy") not in _KEPT:
            self.undo_steps.append((f"{self.name} {logical_id}", deployed.undo))
        return self._record(request, deployed.outcome, deployed.why)

    def _deploy_nested(self, request: Request) -> Deployed:
        stack = self.stack.nested.get(request.logical_id)
        if stack is None:
            raise NotSimulatedError("its template is not in the assembly")
        nested = StackDeployment(
            stack=stack,
            name=f"{self.name}-{request.logical_id}",
            templates=self.templates,
            target=self.target,
            exports=self.exports,
            outputs_of_stacks=self.outputs_of_stacks,
        )
        # If a resource of the nested stack fails, the parent still deletes those before it.
        self.undo_steps.append((f"{self.name} {request.logical_id}", nested.undo))
        for _ in nested.run(mapping(request.properties, "Parameters")):
            pass
        # With the resources of stacks that are nested deeper.
        self.resources += nested.resources
        return Deployed(
            values=ResourceValues(ref=nested.name, attributes=nested.outputs),
            outcome=DeployOutcome.APPLIED,
            why=f"a nested stack of {len(nested.resources)} resources",
        )

    def _not_simulated(self, request: Request, why: str) -> ResourceRecord:
        # Other resources can refer to this one: they get invented identifiers.
        self.values[request.logical_id] = invented_values(request, self.target)
        return self._record(request, DeployOutcome.NOT_SIMULATED, why)

    def _record(self, request: Request, outcome: DeployOutcome, why: str) -> ResourceRecord:
        return ResourceRecord(
            stack=self.name,
            logical_id=request.logical_id,
            type=request.type,
            outcome=outcome,
            why=why,
        )

    def _context(self, parameters: Mapping[str, object]) -> ResolverContext:
        aws = self.target.aws
        place = f"{aws.region}:{aws.account}"
        pseudo = {
            "AWS::AccountId": aws.account,
            "AWS::Region": aws.region,
            "AWS::Partition": aws.partition,
            "AWS::URLSuffix": f"amazonaws.com{'.cn' if aws.partition == 'aws-cn' else ''}",
            "AWS::StackName": self.name,
            "AWS::StackId": f"arn:{aws.partition}:cloudformation:{place}:stack/{self.name}",
            "AWS::NotificationARNs": [],
        }
        zones = aws.client("ec2").describe_availability_zones()["AvailabilityZones"]
        return ResolverContext(
            pseudo=pseudo,
            zones=tuple(sorted(zone["ZoneName"] for zone in zones)),
            parameters={
                name: self._parameter(name, mapping(declaration), parameters)
                for name, declaration in mapping(self.template, "Parameters").items()
            },
            exports=self.exports,
            outputs=self.outputs_of_stacks,
        )

    def _parameter(
        self, name: str, declaration: Mapping[str, object], given: Mapping[str, object]
    ) -> object:
        value = given.get(name, declaration.get("Default"))
        if value is None:
            reason = f"the parameter {name} has no default; pass a value to deploy()"
            raise DeploymentFailedError(self.name, "", (reason,))
        kind = text(declaration, "Type")
        if kind.startswith(_SSM):
            return self._ssm_parameter(str(value))
        if isinstance(value, str) and (kind == "CommaDelimitedList" or kind.startswith("List<")):
            return [item.strip() for item in value.split(",")]
        # A parent stack passes a list to a nested stack as it is.
        return value if isinstance(value, list) else str(value)

    def _ssm_parameter(self, path: str) -> str:
        if path.startswith(_BOOTSTRAP):
            return _BOOTSTRAP_VERSION
        try:
            answer = self.target.aws.client("ssm").get_parameter(Name=path)
        except ClientError as error:
            reason = f"the parameter {path} of Systems Manager is not in the emulated account"
            raise DeploymentFailedError(self.name, "", (reason,)) from error
        return str(answer["Parameter"]["Value"])

    def _keep_outputs(self, resolver: Resolver) -> None:
        for name, output in mapping(self.template, "Outputs").items():
            condition, export = at(output, "Condition"), at(output, "Export", "Name")
            if condition and not resolver.condition(str(condition)):
                continue
            try:
                value = resolver.value(at(output, "Value"))
                self.outputs[f"Outputs.{name}"] = value
                self.outputs_of_stacks[self.name, name] = value
                if export is not None:
                    self.exports[str(resolver.value(export))] = value
            except UnresolvableError as error:
                raise DeploymentFailedError(self.name, name, (str(error),)) from error

    def _check_rules(self, resolver: Resolver) -> None:
        for name, rule in mapping(self.template, "Rules").items():
            condition = at(rule, "RuleCondition")
            if condition is not None and not resolver.holds(condition):
                continue
            for assertion in map(mapping, sequence(rule, "Assertions")):
                if not resolver.holds(assertion.get("Assert")):
                    broken = assertion.get("AssertDescription", f"the rule {name} is broken")
                    raise DeploymentFailedError(self.name, name, (str(broken),))


def creation_order(resources: Mapping[str, object]) -> tuple[str, ...]:
    """Return logical ids so that each follows the resources that it depends on or refers to.

    CloudFormation deletes in the reverse order.

    Raises:
        UnresolvableError: If resources depend on each other in a circle.
    """
    graph = {
        logical_id: {*_dependencies(mapping(body))} & resources.keys()
        for logical_id, body in resources.items()
    }
    try:
        return tuple(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        circle = " -> ".join(map(str, error.args[1]))
        raise UnresolvableError(f"resources depend on each other: {circle}") from error


def _dependencies(body: Mapping[str, object]) -> Iterator[str]:
    stated = body.get("DependsOn")
    yield from [stated] if isinstance(stated, str) else map(str, sequence(stated))
    yield from names(body.get("Properties"))


def deploy_resource(request: Request, target: DeployTarget) -> Deployed:
    """Deploy one resource.

    Raises:
        NotSimulatedError: If the simulation does not support the type, or this resource.
        DeploymentFailedError: If AWS or Kubernetes would refuse the resource.
        ClientError: If the emulated account refuses it.
    """
    if request.type in ROWS:
        return deploy_row(ROWS[request.type], request, target.aws)
    if request.type in _ACCOUNT:
        return _ACCOUNT[request.type](request, target.aws)
    if request.type in _CLUSTER:
        return _CLUSTER[request.type](request, target)
    why = _RECORDED.get(request.type) or next(
        (why for prefix, why in _RECORDED_SERVICES.items() if request.type.startswith(prefix)), ""
    )
    if why:
        values = invented_values(request, target)
        return Deployed(values=values, outcome=DeployOutcome.RECORDED, why=why)
    if request.type.startswith((KUBERNETES_PREFIX, "Custom::", "AWS::CloudFormation::Custom")):
        raise NotSimulatedError("its function is not run")
    raise NotSimulatedError(f"the simulation does not support {request.type}")


def invented_values(request: Request, target: DeployTarget) -> ResourceValues:
    """Return invented identifiers for a resource that is not created."""
    service = request.type.split("::")[1].lower()
    name = physical_name(request)
    if service == "s3":
        digest = hashlib.sha256(name.encode()).hexdigest()
        name = f"{request.stack}-{digest[:16]}".lower()[-63:]
    place = "::" if service == "s3" else f"{target.aws.region}:{target.aws.account}:"
    arn = f"arn:{target.aws.partition}:{service}:{place}{name}"
    return ResourceValues(ref=name, attributes={"Arn": arn}, invented=True)
