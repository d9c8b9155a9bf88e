"""Fixtures of the simulation: the control plane for users, and a tenant on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cdk_emr_eks.simulation.control_plane.plane import Plane
from cdk_emr_eks.testing import plane as session_plane
from tests.simulation.guarded_tenant import guarded
from tests.simulation.swept_plane import swept

__all__ = ["guarded", "session_plane"]


@pytest.fixture(scope="module")
def plane(session_plane: Plane) -> Iterator[Plane]:
    """The control plane of the session, without objects of other modules' tests."""
    yield from swept(session_plane)
