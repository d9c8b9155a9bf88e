"""Test your app in CI: snapshots of templates, and a Kubernetes control plane.

With a snapshot, a test fails if a stack changes without a review. Add five lines to a test file
that imports the stack::

    from aws_cdk import App
    from cdk_emr_eks.testing import template_of, template_snapshot  # the latter is a fixture

    def test_platform(template_snapshot):
        assert template_of(PlatformStack(App(), "Platform")) == template_snapshot

``pytest --snapshot-update`` writes ``__snapshots__/<test file>/<test>.yaml``. Commit this file. The
test shows how a change of the app changes the template, line by line.

The snapshot is the template in CloudFormation's YAML short form, in a form for readers:

- JSON texts (manifests, Helm values, add-on configuration, policies) are written as structures,
  marked ``!Json``.
- Hashes of assets are written ``<asset>``: another Lambda bundle does not change the platform.
  The digest of a container image (``sha256:...``) is kept, since you choose the image.
- The snapshot omits what the CDK adds for itself: metadata, parameter and rule of the bootstrap
  version.
- Keys are sorted. Lists are sorted if their order has no effect (``DependsOn``, tags, actions and
  resources of a policy statement).

Logical ids are unchanged with their hash, because they are part of the contract.

The fixture ``plane`` is a control plane for the whole test session, a
``simulation.control_plane.plane.Plane``::

    from kubernetes import client
    from cdk_emr_eks.testing import plane  # a fixture

    def test_our_policy_admits_our_pods(plane):
        core = client.CoreV1Api(plane.client(as_user="system:serviceaccount:team-a:driver"))
        core.create_namespaced_pod("team-a", POD, dry_run="All")

It needs the extra ``simulation``. Tests are skipped with a reason on machines that cannot run it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

try:
    import pytest
    from syrupy.assertion import SnapshotAssertion
    from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
    from syrupy.types import PropertyFilter, PropertyMatcher, PropertyPath, SerializableData

    from cdk_emr_eks.template_text import template_text
except ImportError as error:
    raise ImportError(
        f"cdk_emr_eks.testing needs pytest, syrupy and PyYAML ({error}): "
        "pip install 'cdk-emr-eks[testing]'"
    ) from error

if TYPE_CHECKING:
    from aws_cdk import Stack

    from cdk_emr_eks.simulation.control_plane.plane import Plane

__all__ = ["TemplateSnapshotExtension", "plane", "template_of", "template_snapshot"]


class TemplateSnapshotExtension(SingleFileSnapshotExtension):
    """Writes one readable YAML file for each snapshot of a template.

    To change an attribute, derive a class and pass it to ``snapshot.use_extension``.

    Attributes:
        keep_paths: Keep ``aws:cdk:path``, the path of the construct, in the metadata of resources.
            Default False, since it has no effect on the deployment.
    """

    _write_mode = WriteMode.TEXT
    file_extension = "yaml"
    keep_paths: bool = False

    def serialize(
        self,
        data: SerializableData,
        *,
        exclude: PropertyFilter | None = None,
        include: PropertyFilter | None = None,
        matcher: PropertyMatcher | None = None,
    ) -> str:
        """Write a template as text.

        A ``matcher`` may replace values that differ from run to run.

        Raises:
            TypeError: If the data is not a template, or if ``exclude`` or ``include`` is given,
                since excluded parts could change without a review.
        """
        if exclude or include:
            raise TypeError("template snapshots accept no exclude and no include")
        if not isinstance(data, Mapping) or "Resources" not in data:
            kind = type(data).__name__
            raise TypeError(f"a template is needed, see template_of(stack), got {kind}")
        if matcher:
            data = _matched(data, matcher, ())
        return template_text(data, keep_paths=self.keep_paths)


@pytest.fixture
def template_snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Syrupy's ``snapshot``, which compares templates."""
    return snapshot.use_extension(TemplateSnapshotExtension)


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """Provide a Kubernetes control plane without nodes for the whole test session.

    The first use on a machine builds its programs, which takes minutes: keep the folder of
    ``simulation.programs.binaries.default_cache()`` between runs of your CI. Tests share the
    control plane, so use another namespace in each test. Logs stay in pytest's temporary folder.
    """
    try:
        from cdk_emr_eks.simulation.control_plane.plane import Plane
        from cdk_emr_eks.simulation.errors import SimulationUnavailable
        from cdk_emr_eks.simulation.programs.binaries import binaries
    except ImportError as error:
        pytest.skip(f"no simulation ({error}): pip install 'cdk-emr-eks[simulation]'")
    try:
        programs = binaries()
    except SimulationUnavailable as error:
        pytest.skip(f"no simulation: {error.reason}")
    with Plane(programs, directory=tmp_path_factory.mktemp("plane")) as running:
        yield running


def template_of(stack: Stack) -> dict[str, object]:
    """Return the template of a stack; the first call synthesizes the app.

    The template is read from the file that would be deployed. Create all stacks of an app before
    the first call: constructs added after the synthesis are not in a template.

    Raises:
        ValueError: If the stack has no App above it.
    """
    from aws_cdk import Stage

    stage = Stage.of(stack)
    if stage is None:
        raise ValueError(f"Stack {stack.node.path!r} must be in an App or a Stage")
    path = Path(stage.synth().directory) / stack.template_file
    template: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return template


def _matched(value: object, matcher: PropertyMatcher, path: PropertyPath) -> object:
    """Pass every value of a template to a matcher, with its path in syrupy's form."""
    value = matcher(data=value, path=path)
    if isinstance(value, Mapping):
        return {
            key: _matched(item, matcher, (*path, (str(key), type(item))))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [
            _matched(item, matcher, (*path, (str(index), type(item))))
            for index, item in enumerate(value)
        ]
    return value
