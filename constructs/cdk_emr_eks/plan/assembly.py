"""Reads a cloud assembly, the folder that ``cdk synth`` writes: stacks, templates, messages.

Only files are read, never Python objects: what is shown is what would be deployed, whatever app
made it.

Source: https://docs.aws.amazon.com/cdk/v2/guide/deploy.html (cloud assembly), 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cdk_emr_eks.plan.intrinsics import Intrinsics, mapping, sequence

_STACK: Final = "aws:cloudformation:stack"
_LEVELS: Final = {"aws:cdk:warning": "warning", "aws:cdk:error": "error"}


class AssemblyError(ValueError):
    """The folder is no cloud assembly, or not one of this library's platforms."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A warning or an error that a construct left in the assembly.

    Args:
        level: ``warning`` or ``error``.
        where: Path of the construct, or name of the stack.
        text: What it says.
    """

    level: str
    where: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StackFile:
    """One stack of the assembly, nested stacks included.

    Args:
        name: Name as ``cdk deploy`` takes it; a nested stack's is that of its template file.
        template: The CloudFormation template.
        size: Bytes of the template.
        environment: Account and region as ``aws://account/region``.
        messages: What constructs of the stack reported.
        stack_name: Name as CloudFormation has it; empty for a nested stack, whose name it makes up.
        dependencies: Stack names of those that must be deployed before.
    """

    name: str
    template: Mapping[str, object]
    size: int
    environment: str
    messages: tuple[Message, ...] = ()
    stack_name: str = ""
    dependencies: tuple[str, ...] = ()

    def resources(self, *types: str) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Yield logical id and properties of the resources of these types, or of all of them."""
        for logical_id, resource in mapping(self.template.get("Resources")).items():
            kind = str(mapping(resource).get("Type"))
            if not types or kind in types:
                yield logical_id, mapping(mapping(resource).get("Properties"))

    @property
    def types(self) -> list[str]:
        """Type of each resource, in the template's order."""
        resources = mapping(self.template.get("Resources"))
        return [str(mapping(resource).get("Type")) for resource in resources.values()]

    @property
    def intrinsics(self) -> Intrinsics:
        """Resolver of the template's intrinsic functions."""
        return Intrinsics(self.template)


def read_assembly(folder: Path) -> tuple[StackFile, ...]:
    """Read all stacks of a cloud assembly, those of stages and nested stacks included.

    Raises:
        AssemblyError: If the folder is missing, or holds no cloud assembly, or one without stacks.
    """
    if not folder.is_dir():
        fix = "run 'cdk synth' first, or name the folder that it wrote"
        raise AssemblyError(f"There is no folder '{folder}'; {fix}.")
    if not (folder / "manifest.json").is_file():
        raise AssemblyError(f"'{folder}' is no cloud assembly: it has no manifest.json.")
    stacks = tuple(_stacks(folder))
    if not stacks:
        raise AssemblyError(f"The cloud assembly '{folder}' has no stack.")
    return stacks


def _stacks(folder: Path) -> Iterator[StackFile]:
    artifacts = mapping(_read(folder / "manifest.json").get("artifacts"))
    names = {
        artifact_id: str(mapping(mapping(artifact).get("properties")).get("stackName", artifact_id))
        for artifact_id, artifact in artifacts.items()
        if mapping(artifact).get("type") == _STACK
    }
    for artifact_id, artifact in artifacts.items():
        properties = mapping(mapping(artifact).get("properties"))
        match mapping(artifact).get("type"):
            case "aws:cloudformation:stack":
                yield from _stack(folder, artifact_id, mapping(artifact), names)
            case "cdk:cloud-assembly":
                yield from _stacks(folder / str(properties.get("directoryName")))


def _stack(
    folder: Path, artifact_id: str, artifact: Mapping[str, object], names: Mapping[str, str]
) -> Iterator[StackFile]:
    path = folder / str(mapping(artifact.get("properties")).get("templateFile"))
    environment = str(artifact.get("environment", ""))
    stack = StackFile(
        name=str(artifact.get("displayName", artifact_id)),
        template=_read(path),
        size=path.stat().st_size,
        environment=environment,
        messages=tuple(_messages(folder, artifact)),
        stack_name=names[artifact_id],
        dependencies=tuple(
            names[str(other)]
            for other in sequence(artifact.get("dependencies"))
            if str(other) in names
        ),
    )
    yield stack
    yield from _nested(folder, stack)


def _nested(folder: Path, parent: StackFile) -> Iterator[StackFile]:
    for resource in mapping(parent.template.get("Resources")).values():
        if mapping(resource).get("Type") != "AWS::CloudFormation::Stack":
            continue
        file = mapping(mapping(resource).get("Metadata")).get("aws:asset:path")
        if not isinstance(file, str):
            continue  # a template that lives in S3 is not part of the assembly
        path = folder / file
        stack = StackFile(
            name=f"{parent.name} / {file.removesuffix('.nested.template.json')}",
            template=_read(path),
            size=path.stat().st_size,
            environment=parent.environment,
        )
        yield stack
        yield from _nested(folder, stack)


def _messages(folder: Path, artifact: Mapping[str, object]) -> Iterator[Message]:
    # Newer versions of CDK keep the metadata of a stack in a file of its own.
    metadata = dict(mapping(artifact.get("metadata")))
    extra = artifact.get("additionalMetadataFile")
    if isinstance(extra, str):
        metadata |= _read(folder / extra)
    for path, entries in metadata.items():
        for entry in map(mapping, sequence(entries)):
            level = _LEVELS.get(str(entry.get("type")))
            if level:
                yield Message(level=level, where=path.strip("/"), text=str(entry.get("data")))


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
