"""One template, resource by resource."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from kubernetes import client

from cdk_emr_eks.assembly.paths import mapping, sequence
from cdk_emr_eks.simulation.deploy.handlers import deploy_resource, invented
from cdk_emr_eks.simulation.deploy.order import creation_order
from cdk_emr_eks.simulation.deploy.outcome import (
    Deployed,
    DeploymentFailedError,
    NotSimulatedError,
    Outcome,
    Request,
    ResourceOutcome,
)
from cdk_emr_eks.simulation.deploy.resolve import (
    Made,
    Resolver,
    Surroundings,
    UnresolvableError,
)
from cdk_emr_eks.simulation.deploy.site import Site

_KEPT: Final = frozenset({"Retain", "Snapshot"})
_NESTED: Final = "AWS::CloudFormation::Stack"
_SSM: Final = "AWS::SSM::Parameter::Value<"
_BOOTSTRAP: Final = "/cdk-bootstrap/"
_BOOTSTRAP_VERSION: Final = "30"
# The simulated account was bootstrapped by a recent CDK.


@dataclass(kw_only=True, slots=True)
class StackDeployment:
    """A stack that is being deployed.

    Args:
        name: Name as CloudFormation has it.
        template: Its template.
        site: Where it goes.
        exports: Exports of all stacks; this one adds its own.
        resources: What became of each resource so far.
        made: What the template may know of them.
        deployed: Those that were deployed, in order.
        outputs: Values of its outputs, as a parent's ``Fn::GetAtt`` names them.
    """

    name: str
    template: Mapping[str, object]
    site: Site
    exports: dict[str, object]
    resources: list[ResourceOutcome] = field(default_factory=list)
    made: dict[str, Made] = field(default_factory=dict)
    deployed: list[tuple[Request, Deployed]] = field(default_factory=list)
    outputs: dict[str, object] = field(default_factory=dict)

    def run(self, parameters: Mapping[str, object]) -> Iterator[ResourceOutcome]:
        """Deploy resource after resource, and yield what became of each.

        Args:
            parameters: Values of the template's parameters; defaults stand for the others.

        Raises:
            DeploymentFailedError: If the real deployment would fail at this point, too.
        """
        resolver = Resolver(self.template, self._surroundings(parameters), self.made)
        resources = mapping(self.template.get("Resources"))
        try:
            self._check_rules(resolver)
            order = creation_order(resources)
        except UnresolvableError as error:
            raise DeploymentFailedError(self.name, "", (str(error),)) from error
        for logical_id in order:
            outcome = self._deploy(logical_id, mapping(resources[logical_id]), resolver)
            self.resources.append(outcome)
            yield outcome
        self._keep_outputs(resolver)

    def _deploy(
        self, logical_id: str, body: Mapping[str, object], resolver: Resolver
    ) -> ResourceOutcome:
        kind = str(body.get("Type"))
        bare = Request(stack=self.name, logical_id=logical_id, type=kind, properties={})
        try:
            condition = body.get("Condition")
            if condition is not None and not resolver.condition(str(condition)):
                return self._outcome(bare, Outcome.OMITTED, f"the condition {condition} is false")
            properties = mapping(resolver.value(body.get("Properties") or {}))
            request = Request(
                stack=self.name, logical_id=logical_id, type=kind, properties=properties
            )
            if kind == _NESTED:
                deployed = self._nested(request, mapping(body.get("Metadata")))
            else:
                deployed = deploy_resource(request, self.site)
        except (NotSimulatedError, UnresolvableError) as error:
            return self._missing(bare, str(error))
        except (ClientError, BotoCoreError) as error:
            return self._missing(bare, f"the emulated AWS refuses it: {error}")
        if body.get("DeletionPolicy") in _KEPT:
            deployed = replace(deployed, undo=None)
        self.made[logical_id] = deployed.made
        self.deployed.append((request, deployed))
        return self._outcome(request, deployed.outcome, deployed.why)

    def _nested(self, request: Request, metadata: Mapping[str, object]) -> Deployed:
        name = str(metadata.get("aws:asset:path") or "none")
        # A stage has a folder of its own below the assembly's.
        file = next(self.site.assembly.rglob(name), None)
        if file is None:
            raise NotSimulatedError("its template lies outside of the assembly")
        nested = StackDeployment(
            name=f"{self.name}-{request.logical_id}",
            template=json.loads(file.read_text(encoding="utf-8")),
            site=self.site,
            exports=self.exports,
        )
        self.resources += nested.run(mapping(request.properties.get("Parameters")))
        return Deployed(
            made=Made(ref=nested.name, attributes=nested.outputs),
            outcome=Outcome.APPLIED,
            why=f"{len(nested.resources)} resources of its own",
            undo=nested.undo,
        )

    def undo(self, seconds: float) -> tuple[str, ...]:
        """Delete what was deployed in the opposite order; return what went wrong.

        Args:
            seconds: How long it may take as a whole.
        """
        end = time.monotonic() + seconds
        problems: list[str] = []
        while self.deployed:
            request, deployed = self.deployed.pop()
            if deployed.undo is None:
                continue
            try:
                found = deployed.undo(max(end - time.monotonic(), 0.0))
            except (ClientError, BotoCoreError, client.ApiException) as error:
                found = (str(error),)
            problems += (f"{request.stack} {request.logical_id}: {text}" for text in found)
        return tuple(problems)

    def _missing(self, request: Request, why: str) -> ResourceOutcome:
        # Others may refer to it: they get identifiers of ours, and its outcome says so.
        self.made[request.logical_id] = invented(request, self.site)
        return self._outcome(request, Outcome.NOT_SIMULATED, why)

    def _outcome(self, request: Request, outcome: Outcome, why: str) -> ResourceOutcome:
        return ResourceOutcome(
            stack=self.name,
            logical_id=request.logical_id,
            type=request.type,
            outcome=outcome,
            why=why,
        )

    def _surroundings(self, given: Mapping[str, object]) -> Surroundings:
        aws = self.site.aws
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
        declared = mapping(self.template.get("Parameters"))
        parameters = {
            name: self._parameter(name, mapping(declaration), given)
            for name, declaration in declared.items()
        }
        return Surroundings(
            pseudo=pseudo,
            zones=tuple(sorted(zone["ZoneName"] for zone in zones)),
            parameters=parameters,
            exports=self.exports,
        )

    def _parameter(
        self, name: str, declaration: Mapping[str, object], given: Mapping[str, object]
    ) -> object:
        value = given.get(name, declaration.get("Default"))
        if value is None:
            reason = f"the parameter {name} has no default: give deploy() a value"
            raise DeploymentFailedError(self.name, "", (reason,))
        kind = str(declaration.get("Type"))
        if kind.startswith(_SSM):
            return self._stored(str(value))
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            return [item.strip() for item in str(value).split(",")]
        return str(value)

    def _stored(self, path: str) -> str:
        if path.startswith(_BOOTSTRAP):
            return _BOOTSTRAP_VERSION
        try:
            answer = self.site.aws.client("ssm").get_parameter(Name=path)
        except ClientError as error:
            reason = f"the parameter {path} of Systems Manager is not in the emulated account"
            raise DeploymentFailedError(self.name, "", (reason,)) from error
        return str(answer["Parameter"]["Value"])

    def _keep_outputs(self, resolver: Resolver) -> None:
        for name, output in mapping(self.template.get("Outputs")).items():
            condition = mapping(output).get("Condition")
            if condition and not resolver.condition(str(condition)):
                continue
            export = mapping(mapping(output).get("Export")).get("Name")
            try:
                value = resolver.value(mapping(output).get("Value"))
                self.outputs[f"Outputs.{name}"] = value
                if export is not None:
                    self.exports[str(resolver.value(export))] = value
            except UnresolvableError as error:
                raise DeploymentFailedError(self.name, name, (str(error),)) from error

    def _check_rules(self, resolver: Resolver) -> None:
        for name, rule in mapping(self.template.get("Rules")).items():
            condition = mapping(rule).get("RuleCondition")
            if condition is not None and not resolver.holds(condition):
                continue
            for each in map(mapping, sequence(mapping(rule).get("Assertions"))):
                if not resolver.holds(each.get("Assert")):
                    reason = str(each.get("AssertDescription", f"the rule {name} is broken"))
                    raise DeploymentFailedError(self.name, name, (reason,))
