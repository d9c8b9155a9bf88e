"""Read a cloud assembly, the folder that ``cdk synth`` writes.

Only files are read, never Python objects: the result is what would be deployed, whichever app wrote
the assembly.

Source: https://docs.aws.amazon.com/cdk/v2/guide/deploy.html (cloud assembly), 2026-11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cdk_emr_eks.assembly.objects import Applied, Clusters, read_applied
from cdk_emr_eks.assembly.paths import at, mapping, sequence, text
from cdk_emr_eks.assembly.references import References, Target
from cdk_emr_eks.assembly.stack import (
    NESTED,
    PRODUCT,
    Environment,
    Message,
    ParentResource,
    Stack,
    StackKind,
)

MANIFEST_FILE: Final = "manifest.json"

_STACK: Final = "aws:cloudformation:stack"
_STAGE: Final = "cdk:cloud-assembly"
_ASSETS: Final = "cdk:asset-manifest"
_LEVELS: Final = {"aws:cdk:warning": "warning", "aws:cdk:error": "error"}
_SUFFIX: Final = re.compile(r"(\.(nested|product))?\.template\.json$")
# The CDK writes zones of this name until it has looked up those of the Region.
_ZONES: Final = "availability-zones"
_PLACEHOLDER_ZONE: Final = "dummy1a"
_OBJECT_KEY: Final = re.compile(r"[^/?]+$")


class AssemblyError(ValueError):
    """The folder is not a cloud assembly, or a file of it cannot be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MissingLookup:
    """A value that the app needs from AWS and that ``cdk.context.json`` does not hold.

    The CDK's command line looks it up. Until then the app works with dummy values.

    Args:
        key: Key in ``cdk.context.json``.
        provider: Kind of the look-up, for example ``vpc-provider``.
        props: What is looked up, for example account, Region and filters.
    """

    key: str
    provider: str
    props: Mapping[str, object]

    def __str__(self) -> str:
        """Return the kind of the look-up with its account and Region."""
        where = [text(self.props, part) for part in ("account", "region")]
        return f"{self.provider} in {'/'.join(where)} ({self.key})"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Assembly:
    """A cloud assembly that was read.

    Args:
        folder: Folder of the assembly.
        stacks: All stacks, with those of stages; each is followed by its nested stacks and
            products.
        references: Follows references over all stacks.
        clusters: Finds the cluster that a value names.
        applied: Kubernetes objects and charts of all stacks.
        missing: Look-ups that the app could not do; the templates hold dummy values for them.
    """

    folder: Path
    stacks: tuple[Stack, ...]
    references: References
    clusters: Clusters
    applied: Applied
    missing: tuple[MissingLookup, ...] = ()

    def targets(self, stack: Stack, value: object) -> Iterator[Target]:
        """Yield the resources that a value of a stack refers to, in that stack or in another."""
        return self.references.targets(stack, value)

    def file_assets(self) -> Mapping[str, Path]:
        """Return the file of each asset of the assembly, by its key in the bucket of assets."""
        return {
            key: listing.parent / file
            for listing in sorted(self.folder.rglob("*.assets.json"))
            for key, file in _assets(listing)
        }

    def stack(self, name: str) -> Stack | None:
        """Return the stack with a name, None if the assembly has no such stack."""
        return next((stack for stack in self.stacks if stack.name == name), None)


def open_assembly(folder: Path) -> Assembly:
    """Read a cloud assembly: all stacks, nested stacks, products and stages.

    Raises:
        AssemblyError: If the folder is missing, is not a cloud assembly, or has no stack.
    """
    if not folder.is_dir():
        fix = "run 'cdk synth' first, or name the folder that it wrote"
        raise AssemblyError(f"There is no folder '{folder}'; {fix}.")
    if not (folder / MANIFEST_FILE).is_file():
        raise AssemblyError(f"'{folder}' is not a cloud assembly: it has no {MANIFEST_FILE}.")
    manifests = tuple(_manifests(folder))
    stacks = tuple(stack for manifest in manifests for stack in _stacks(manifest))
    if not stacks:
        raise AssemblyError(f"The cloud assembly '{folder}' has no stack.")
    references = References(stacks)
    clusters = Clusters(stacks, references)
    return Assembly(
        folder=folder,
        stacks=stacks,
        references=references,
        clusters=clusters,
        applied=read_applied(stacks, clusters),
        missing=_missing(manifests),
    )


def missing_lookups(folder: Path) -> tuple[MissingLookup, ...]:
    """Return the missing look-ups of an assembly without reading its stacks.

    Raises:
        AssemblyError: If a manifest cannot be read.
    """
    return _missing(tuple(_manifests(folder)))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Manifest:
    """The manifest of an assembly or of a stage in it."""

    folder: Path
    stage: str
    content: Mapping[str, object]

    @property
    def artifacts(self) -> Mapping[str, object]:
        return mapping(self.content, "artifacts")


def _manifests(folder: Path, stage: str = "") -> Iterator[_Manifest]:
    """Yield the manifest of a folder, then those of its stages."""
    manifest = _Manifest(folder=folder, stage=stage, content=_read(folder / MANIFEST_FILE))
    yield manifest
    for artifact_id, artifact in manifest.artifacts.items():
        if at(artifact, "type") == _STAGE:
            path = text(artifact, "properties", "displayName") or artifact_id
            yield from _manifests(folder / text(artifact, "properties", "directoryName"), path)


def _missing(manifests: tuple[_Manifest, ...]) -> tuple[MissingLookup, ...]:
    """Return the missing look-ups; an app and its stages may have the same ones.

    The CDK also asks for the zones of a Region if a VPC names its zones and does not use them.
    """
    found = {
        text(entry, "key"): MissingLookup(
            key=text(entry, "key"), provider=text(entry, "provider"), props=mapping(entry, "props")
        )
        for manifest in manifests
        for entry in sequence(manifest.content, "missing")
    }
    needs_zones = any(
        each.provider == _ZONES for each in found.values()
    ) and _have_placeholder_zones(manifests)
    return tuple(each for each in found.values() if each.provider != _ZONES or needs_zones)


def _have_placeholder_zones(manifests: Iterable[_Manifest]) -> bool:
    return any(
        _PLACEHOLDER_ZONE in path.read_text(encoding="utf-8")
        for manifest in manifests
        for path in manifest.folder.glob("*.template.json")
    )


def _stacks(manifest: _Manifest) -> Iterator[Stack]:
    names = {
        artifact_id: text(artifact, "properties", "stackName") or artifact_id
        for artifact_id, artifact in manifest.artifacts.items()
        if at(artifact, "type") == _STACK
    }
    for artifact_id in names:
        yield from _stack(manifest, artifact_id, names)


def _stack(manifest: _Manifest, artifact_id: str, names: Mapping[str, str]) -> Iterator[Stack]:
    folder, artifacts = manifest.folder, manifest.artifacts
    artifact = mapping(artifacts, artifact_id)
    path = folder / text(artifact, "properties", "templateFile")
    dependencies = [str(each) for each in sequence(artifact, "dependencies")]
    nested: dict[str, Stack] = {}
    stack = Stack(
        name=text(artifact, "displayName") or artifact_id,
        template=_read(path),
        size=path.stat().st_size,
        directory=folder,
        environment=Environment.parse(text(artifact, "environment")),
        stage=manifest.stage,
        messages=tuple(_messages(folder, artifact)),
        stack_name=names[artifact_id],
        dependencies=tuple(names[other] for other in dependencies if other in names),
        nested=nested,
    )
    yield stack
    files = {
        key: file
        for other in dependencies
        if at(artifacts, other, "type") == _ASSETS
        for key, file in _assets(folder / text(artifacts, other, "properties", "file"))
    }
    yield from _nested(stack, nested, files)


def _nested(parent: Stack, nested: dict[str, Stack], files: Mapping[str, str]) -> Iterator[Stack]:
    """Yield the templates that resources of a stack deploy, and put them into ``nested``."""
    found: list[Stack] = []
    for logical_id, body in parent.bodies().items():
        for number, file in enumerate(_template_files(parent, body, files)):
            path = parent.directory / file
            inner: dict[str, Stack] = {}
            name = f"{parent.name} / {_SUFFIX.sub('', file)}"
            if name in (stack.name for stack in found):
                name = f"{name} {logical_id}"
            stack = Stack(
                name=name,
                template=_read(path),
                size=path.stat().st_size,
                directory=parent.directory,
                environment=parent.environment,
                kind=StackKind.PRODUCT if at(body, "Type") == PRODUCT else StackKind.NESTED,
                stage=parent.stage,
                parent=ParentResource(stack=parent, logical_id=logical_id),
                nested=inner,
            )
            found.append(stack)
            nested[f"{logical_id}/{number}" if number else logical_id] = stack
            yield stack
            yield from _nested(stack, inner, files)


def _template_files(
    stack: Stack, body: Mapping[str, object], files: Mapping[str, str]
) -> Iterator[str]:
    """Yield the files of the templates that a resource deploys, if they are in the assembly."""
    kind, properties = at(body, "Type"), mapping(body, "Properties")
    if kind == NESTED:
        # The CDK writes this metadata only if its command line runs the app.
        file = text(body, "Metadata", "aws:asset:path")
        urls = [] if file else [properties.get("TemplateURL")]
    elif kind == PRODUCT:
        file = ""
        urls = [
            at(parameters, "Info", "LoadTemplateFromURL")
            for parameters in sequence(properties, "ProvisioningArtifactParameters")
        ]
    else:
        return
    # The URL of an asset ends with its key in the bucket, which the asset manifest maps to a file.
    keys = [_OBJECT_KEY.search(stack.text(url)) for url in urls]
    for found in dict.fromkeys([file, *(files.get(key[0], "") for key in keys if key)]):
        # A template that is only in S3, or that is YAML, is not read.
        if found.endswith(".json"):
            yield found


def _assets(path: Path) -> Iterator[tuple[str, str]]:
    """Yield object key and file of each file asset of an asset manifest."""
    for asset in mapping(_read(path), "files").values():
        for destination in mapping(asset, "destinations").values():
            key = text(destination, "objectKey").rpartition("/")[2]
            yield key, text(asset, "source", "path")


def _messages(folder: Path, artifact: Mapping[str, object]) -> Iterator[Message]:
    # Newer versions of the CDK keep the metadata of a stack in a separate file.
    metadata = dict(mapping(artifact, "metadata"))
    extra = artifact.get("additionalMetadataFile")
    if isinstance(extra, str):
        metadata |= _read(folder / extra)
    for path, entries in metadata.items():
        for entry in sequence(entries):
            level = _LEVELS.get(text(entry, "type"))
            if level:
                yield Message(level=level, where=path.strip("/"), text=text(entry, "data"))


def _read(path: Path) -> Mapping[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AssemblyError(f"The cloud assembly lacks the file '{path}'.") from error
    except ValueError as error:
        raise AssemblyError(f"'{path}' is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise AssemblyError(f"'{path}' must hold a JSON object.")
    return content
