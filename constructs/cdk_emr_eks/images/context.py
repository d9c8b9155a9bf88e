"""The build context of an image as a file asset: a user's directory, or a derived one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final, cast

from aws_cdk import IgnoreMode, Stage
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from cdk_emr_eks.model.images.dockerfile import JARS, REQUIREMENTS, derived_dockerfile
from cdk_emr_eks.model.images.image import ImageSpec

_NEVER: Final = (".git", ".hg", ".svn", "cdk.out", "**/__pycache__", "**/.DS_Store")
_ALWAYS: Final = ("!Dockerfile", "!.dockerignore")


def build_context(scope: Construct, id: str, spec: ImageSpec) -> assets.Asset:
    """Create the asset of an image's build context. The image is built when its hash changes.

    A derived context is written to ``images/`` of the cloud assembly, where users can read it.
    """
    if spec.directory is None:
        return assets.Asset(scope, id, path=str(_derive(scope, spec)))
    return assets.Asset(
        scope,
        id,
        path=str(spec.directory),
        exclude=[*_NEVER, *_ignored(spec.directory), *_ALWAYS],
        # As Docker itself reads .dockerignore.
        ignore_mode=IgnoreMode.DOCKER,
    )


def _ignored(directory: Path) -> list[str]:
    path = directory / ".dockerignore"
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _derive(scope: Construct, spec: ImageSpec) -> Path:
    stage = cast(Stage, Stage.of(scope))
    folder = Path(stage.asset_outdir) / "images" / scope.node.path.replace("/", "-")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lines = spec.requirement_lines()
    text = derived_dockerfile(requirements=bool(lines), jars=bool(spec.jars))
    (folder / "Dockerfile").write_text(text, encoding="utf-8")
    if lines:
        (folder / REQUIREMENTS).write_text("\n".join([*lines, ""]), encoding="utf-8")
    if spec.jars:
        (folder / JARS).mkdir()
    for jar in spec.jars:
        shutil.copyfile(jar, folder / JARS / jar.name)
    return folder
