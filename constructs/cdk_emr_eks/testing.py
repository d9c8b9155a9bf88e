"""For your CI: snapshots of synthesized templates, and a Kubernetes control plane to try things on.

With a snapshot, an unreviewed change of a stack fails a test. Five lines in a test file, next to
the stack's own import::

    from aws_cdk import App
    from cdk_emr_eks.testing import template_of, template_snapshot  # the latter is a fixture

    def test_platform(template_snapshot):
        assert template_of(PlatformStack(App(), "Platform")) == template_snapshot

``pytest --snapshot-update`` writes ``__snapshots__/<test file>/<test>.yaml``; commit it. From then
on the test shows what a change does to the template, line by line.

The snapshot is the template in CloudFormation's YAML short form, made to be read and compared:

- JSON texts (manifests, Helm values, add-on configuration, policies) are written as structures,
  marked ``!Json``.
- Hashes of assets are written ``<asset>``: a changed Lambda bundle is no change of the platform.
  The digest of a container image (``sha256:...``) stays, for it is a choice.
- What CDK adds for itself is left out: metadata, the bootstrap version's parameter and rule.
- Keys are sorted, and so are lists whose order means nothing (``DependsOn``, tags, actions and
  resources of a policy statement). All other lists keep their order.

Logical ids stay as they are, hash included: they are contract.

The fixture ``plane`` is a control plane of the whole session, a
``simulation.control_plane.plane.Plane``::

    from kubernetes import client
    from cdk_emr_eks.testing import plane  # a fixture

    def test_our_policy_admits_our_pods(plane):
        core = client.CoreV1Api(plane.client(as_user="system:serviceaccount:team-a:driver"))
        core.create_namespaced_pod("team-a", POD, dry_run="All")

It needs the extra ``simulation``; a test is skipped, with the reason, where no plane can run.
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
    """Keeps one readable YAML file for each snapshot of a template.

    Derive from it to change an attribute, and hand the class to ``snapshot.use_extension``.

    Attributes:
        keep_paths: Keep ``aws:cdk:path``, the construct's path, in the metadata of resources.
            Default False: it says nothing about what is deployed.
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

        A ``matcher`` may put another value in the place of one that differs from run to run.

        Raises:
            TypeError: If the data is no template, or ``exclude`` or ``include`` is given: what is
                left out of a snapshot could change unseen.
        """
        if exclude or include:
            raise TypeError("template snapshots take no exclude and no include")
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
    """A Kubernetes control plane without nodes, for the whole test session.

    Its programs are built the first time that a machine needs them, which takes minutes; keep the
    folder of ``simulation.programs.binaries.default_cache()`` between runs of your CI. Tests share
    the plane: let each test work in its own namespace. Logs stay in pytest's temporary folder.
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
    """Synthesize the app of a stack, the first time only, and return the stack's template.

    The template is read from the file that would be deployed. To ask several stacks of an app, make
    all of them first: what is added to an app after its synthesis is not in a template.

    Raises:
        ValueError: If the stack has no App above it.
    """
    from aws_cdk import Stage

    stage = Stage.of(stack)
    if stage is None:
        raise ValueError(f"Stack {stack.node.path!r} must be made in an App or a Stage")
    path = Path(stage.synth().directory) / stack.template_file
    template: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return template


def _matched(value: object, matcher: PropertyMatcher, path: PropertyPath) -> object:
    """Ask a matcher for every value of a template, with the path as syrupy gives it."""
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
