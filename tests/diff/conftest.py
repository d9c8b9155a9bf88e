"""The assembly that most comparisons start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli import assemblies


@pytest.fixture(scope="session")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole platform of one stack, with one tenant."""
    return assemblies.write(tmp_path_factory.mktemp("old"), {"Platform": assemblies.platform()})
