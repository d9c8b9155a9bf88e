"""The reference platform as a whole: whatever changes in it is read line by line before it lands.

Kept with the extension that users keep theirs with, so that it is used as it is documented.
"""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from cdk_emr_eks.testing import template_snapshot
from tests.conftest import Assemblies

__all__ = ["template_snapshot"]


@pytest.mark.parametrize("stack", ["EmrEksPlatform", "EmrEksTenants"])
def test_reference_platform(
    stack: str, assemblies: Assemblies, template_snapshot: SnapshotAssertion
) -> None:
    assert assemblies("reference").templates()[stack] == template_snapshot
