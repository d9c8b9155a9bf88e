"""An execution of an ephemeral job on a real API server, from its template to its deletion.

It takes about ten seconds: it needs neither nodes nor a deployment, and waits for the deletion of
namespaces.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final, cast

import pytest
from kubernetes import client

from cdk_emr_eks.model.ephemeral.clean import EphemeralCleaner
from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.simulation.deploy.objects import Objects
from tests.simulation.waiting import until
from tests.synth.ephemeral.ephemeral_app import synthesized
from tests.synth.iam_decisions import Account as Deployed
from tests.unit.ephemeral.asl_interpreter import Execution, run
from tests.unit.ephemeral.ephemeral_account import Account

ARN: Final = "arn:aws:states:eu-west-1:111122223333:execution:emr-research:plane"
LEFT: Final = {"metadata": {"name": "for-the-next-job"}, "data": {"a": "b"}}


@dataclass
class Cleaner:
    """The function of the template that cleans up."""

    text: dict[str, object]

    def definition(self) -> dict[str, object]:
        return self.text


@dataclass
class OnPlane(Account):
    """Stacks whose namespaces are on a real API server; jobs that leave objects.

    Attributes:
        plane: The control plane.
        seen: Kinds and names of quotas and limits of the namespace, while the job ran.
    """

    plane: Any = None
    seen: list[str] = field(default_factory=list)

    def _stack(self, verb: str, name: str) -> object:
        if verb == "createStack":
            template = json.loads(self.parameters["createStack"]["TemplateBody"])
            parts = template["Resources"]["Namespace"]["Properties"]["Manifest"]["Fn::Join"][1]
            text = "".join(name if isinstance(part, dict) else part for part in parts)
            objects = Objects(self.plane.client())
            made = objects.create(json.loads(text), overwrite=True, validate=True)
            assert (made.refused, made.unknown) == ((), ())
        if verb == "deleteStack" and name in self.stacks:
            self._core.delete_namespace(name)
        if verb == "describeStacks" and self.stacks.get(name) == "DELETE_IN_PROGRESS":
            # The handler waits for the namespace to be gone.
            until(self._namespaces, lambda found: name not in found)
        return super()._stack(verb, name)

    def _job(self, verb: str, given: dict[str, Any]) -> object:
        if verb == "startJobRun.sync":
            (name,) = self.stacks
            networking: Any = client.NetworkingV1Api(self.plane.client())
            found = (
                *self._core.list_namespaced_resource_quota(name).items,
                *self._core.list_namespaced_limit_range(name).items,
                *networking.list_namespaced_network_policy(name).items,
            )
            self.seen = [f"{type(each).__name__} {each.metadata.name}" for each in found]
            self._core.create_namespaced_config_map(name, LEFT)
        return super()._job(verb, given)

    def _namespaces(self) -> list[str]:
        return [each.metadata.name for each in self._core.list_namespace().items]

    @property
    def _core(self) -> Any:
        return client.CoreV1Api(self.plane.client())


@pytest.mark.parametrize("ends", ["COMPLETED", "FAILED"])
def test_the_namespace_exists_only_during_the_job(plane: Plane, ends: str) -> None:
    deployed = Deployed(synthesized().templates)
    texts = {
        properties["StateMachineName"]: json.loads(
            deployed.text(stack, properties["DefinitionString"])
        )
        for stack, _, properties in deployed.of_type("AWS::StepFunctions::StateMachine")
        if stack == "Elsewhere"
    }
    job, cleaner = (texts[name] for name in sorted(texts))
    services = OnPlane(cleaner=cast(EphemeralCleaner, Cleaner(cleaner)), job_ends=ends, plane=plane)
    ended: Execution = run(job, {}, services, arn=f"{ARN}-{ends}")
    if ends == "COMPLETED":
        assert ended.status == "SUCCEEDED", ended.error
    else:
        assert "job run FAILED" in ended.error[1]
    assert set(services.seen) == {
        "V1LimitRange tenant",
        "V1NetworkPolicy default-deny",
        "V1NetworkPolicy tenant",
        "V1ResourceQuota tenant",
    }
    assert not [name for name in services._namespaces() if name.startswith("research-")]
    assert services.left == []
