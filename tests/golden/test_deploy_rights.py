"""Deploy rights of the resource types that the library narrows, as a file that a reviewer reads."""

from __future__ import annotations

from syrupy.assertion import SnapshotAssertion

from cdk_emr_eks.deploy_policy.narrowing import NARROWINGS
from cdk_emr_eks.deploy_policy.rights import grants_for


def test_rights_of_resources_without_optional_features(golden: SnapshotAssertion) -> None:
    documents = [
        {
            "type": kind,
            "rights": [
                {
                    "resource": grant.resource,
                    "actions": grant.actions.split(),
                    **({"condition": grant.condition} if grant.condition else {}),
                }
                for grant in grants_for(kind, {})
            ],
        }
        for kind in sorted(NARROWINGS)
    ]
    assert documents == golden(name="deploy-rights")
