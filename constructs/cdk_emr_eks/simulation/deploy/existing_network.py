"""Stand-ins of a VPC and subnets that are there already: templates have their ids and no more."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from cdk_emr_eks.assembly.stack import Stack
from cdk_emr_eks.simulation.deploy.outcome import Outcome, ResourceOutcome

if TYPE_CHECKING:
    from cdk_emr_eks.simulation.aws import EmulatedAws

_IDS: Final = re.compile(r"\b(?:subnet|vpc)-[0-9a-f]{8,17}\b")
_BLOCK: Final = ipaddress.ip_network("10.0.0.0/16")
_SUBNET_PREFIX: Final = 20


class ExistingNetwork:
    """Subnets of the emulated account in the place of those whose ids the templates state.

    Nothing is known of them: they are taken to lie in the Region's zones in the order in which
    their ids appear, and to have no tags. Each is listed among the resources, with that said.

    Args:
        stacks: Stacks whose templates are read.
        aws: The emulated account.

    Attributes:
        ids: Id of the stand-in by id.
        resources: What is said of each.
    """

    def __init__(self, stacks: Iterable[Stack], aws: EmulatedAws) -> None:
        self.ids: dict[str, str] = {}
        self.resources: list[ResourceOutcome] = []
        self._ec2 = aws.client("ec2")
        found = dict.fromkeys(
            (stack.stack_name, name)
            for stack in stacks
            for name in _IDS.findall(json.dumps(stack.template))
        )
        if not found:
            return
        self._vpc = self._ec2.create_vpc(CidrBlock=str(_BLOCK))["Vpc"]["VpcId"]
        answer = self._ec2.describe_availability_zones()["AvailabilityZones"]
        zones = sorted(str(zone["ZoneName"]) for zone in answer)
        blocks = _BLOCK.subnets(new_prefix=_SUBNET_PREFIX)
        for stack, name in found:
            if name in self.ids:
                continue
            why = "stands for one that is there already"
            if name.startswith("vpc-"):
                self.ids[name] = self._vpc
            else:
                zone = zones[len(self._subnets) % len(zones)]
                made = self._ec2.create_subnet(
                    VpcId=self._vpc, CidrBlock=str(next(blocks)), AvailabilityZone=zone
                )
                self.ids[name] = made["Subnet"]["SubnetId"]
                why += f", taken to be in {zone} and without tags"
            kind = "AWS::EC2::VPC" if name.startswith("vpc-") else "AWS::EC2::Subnet"
            self.resources.append(
                ResourceOutcome(
                    stack=stack, logical_id=name, type=kind, outcome=Outcome.EMULATED, why=why
                )
            )

    @property
    def _subnets(self) -> list[str]:
        return [made for name, made in self.ids.items() if name.startswith("subnet-")]

    def template(self, stack: Stack) -> Mapping[str, object]:
        """Return a stack's template with the stand-ins' ids."""
        text = _IDS.sub(lambda id: self.ids.get(id.group(), id.group()), json.dumps(stack.template))
        template: Mapping[str, object] = json.loads(text)
        return template

    def delete(self) -> None:
        """Delete the stand-ins."""
        if not self.ids:
            return
        for subnet in self._subnets:
            self._ec2.delete_subnet(SubnetId=subnet)
        self._ec2.delete_vpc(VpcId=self._vpc)
        self.ids.clear()
