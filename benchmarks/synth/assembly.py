"""Count what a cloud assembly holds, from its files alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Custom resources that CDK's kubectl handler applies or reads.
KUBERNETES_TYPES: Final = (
    "Custom::AWSCDK-EKS-KubernetesResource",
    "Custom::AWSCDK-EKS-KubernetesPatch",
    "Custom::AWSCDK-EKS-KubernetesObjectValue",
    "Custom::AWSCDK-EKS-HelmChart",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Assembly:
    """What one ``cdk.out`` would deploy; nested stacks count as stacks.

    Args:
        resources: Resources of all templates.
        lambda_functions: Of them ``AWS::Lambda::Function``.
        iam_roles: Of them ``AWS::IAM::Role``.
        kubernetes_resources: Of them those that CDK's kubectl handler serves, by type.
        custom_resources: Of them all ``Custom::*`` and ``AWS::CloudFormation::CustomResource``.
        stacks: Number of templates.
        template_bytes: Bytes of all templates as written.
        largest_stack_resources: Resources of the stack with the most.
        largest_template_bytes: Bytes of the largest template.
        assets: Files, folders and images to publish, templates aside.
        asset_bytes: Bytes of those files and folders as staged, before they are zipped.
    """

    resources: int
    lambda_functions: int
    iam_roles: int
    kubernetes_resources: Mapping[str, int]
    custom_resources: Mapping[str, int]
    stacks: int
    template_bytes: int
    largest_stack_resources: int
    largest_template_bytes: int
    assets: int
    asset_bytes: int

    @property
    def kubernetes_count(self) -> int:
        """Number of Kubernetes custom resources."""
        return sum(self.kubernetes_resources.values())

    @property
    def custom_count(self) -> int:
        """Number of custom resources of every kind."""
        return sum(self.custom_resources.values())


def read_assembly(folder: Path) -> Assembly:
    """Read every template and asset list below a folder.

    Raises:
        ValueError: If the synthesis left a context look-up open: its templates hold dummy values.
    """
    _require_complete(folder)
    types: Counter[str] = Counter()
    sizes: list[int] = []
    counts: list[int] = []
    for path in _files(folder, "*.template.json"):
        text = path.read_bytes()
        resources = json.loads(text).get("Resources", {})
        types.update(resource["Type"] for resource in resources.values())
        sizes.append(len(text))
        counts.append(len(resources))
    staged, images = _assets(folder)
    custom = {name: number for name, number in sorted(types.items()) if _is_custom(name)}
    return Assembly(
        resources=types.total(),
        lambda_functions=types["AWS::Lambda::Function"],
        iam_roles=types["AWS::IAM::Role"],
        kubernetes_resources={n: types[n] for n in KUBERNETES_TYPES if types[n]},
        custom_resources=custom,
        stacks=len(counts),
        template_bytes=sum(sizes),
        largest_stack_resources=max(counts, default=0),
        largest_template_bytes=max(sizes, default=0),
        assets=len(staged) + images,
        asset_bytes=sum(map(_size, staged)),
    )


def _require_complete(folder: Path) -> None:
    for path in _files(folder, "manifest.json"):
        if missing := json.loads(path.read_bytes()).get("missing"):
            keys = ", ".join(str(entry["key"]) for entry in missing)
            raise ValueError(f"{path}: context look-ups are open: {keys}")


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield files of the assembly and of the stages in it, but none of its assets' files."""
    yield from sorted(folder.glob(pattern))
    for stage in sorted(folder.glob("assembly-*")):
        yield from _files(stage, pattern)


def _is_custom(name: str) -> bool:
    return name.startswith("Custom::") or name == "AWS::CloudFormation::CustomResource"


def _assets(folder: Path) -> tuple[set[Path], int]:
    """Return what is published from files, and how many images; stacks share what is the same."""
    staged: set[Path] = set()
    images: set[str] = set()
    for path in _files(folder, "*.assets.json"):
        manifest = json.loads(path.read_bytes())
        images.update(manifest.get("dockerImages", {}))
        for file in manifest.get("files", {}).values():
            source = (path.parent / file["source"]["path"]).resolve()
            if not source.name.endswith(".template.json"):
                staged.add(source)
    return staged, len(images)


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
