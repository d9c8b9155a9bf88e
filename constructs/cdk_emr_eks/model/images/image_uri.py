"""URIs of container images: what tells which image a pod runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.tokens import has_token

_URI: Final = re.compile(
    r"(?P<registry>[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?)/"
    r"(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_ECR: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?"
)
MAX_BASE: Final = 200
"""Characters of a base image's URI.

CodePipeline takes 1,000 for the environment of a build, and the URL that CloudFormation is told at
may have over 600 of them, with the stack's name in it.

Source: https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionDeclaration.html
"""
_RULE: Final = "must be an image with its digest (REGISTRY/REPOSITORY@sha256:...), or a token"


@dataclass(frozen=True, kw_only=True, slots=True)
class EcrRepository:
    """A repository of a private registry of ECR's.

    Args:
        account: Account that has it.
        region: Region of the registry.
        name: Name of the repository.
    """

    account: str
    region: str
    name: str


def image_uri(field: str, value: str) -> tuple[ConfigProblem, ...]:
    """Check the URI of an image that pods are to run, which must name it by digest.

    A tag may be moved to an image that nobody has seen, and pods of one job would run different
    ones. A token passes, such as ``SparkImage.uri``: what it holds is known in the deployment only.

    Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
    """
    if has_token(value):
        return ()
    match = _URI.fullmatch(value)
    if match and match["digest"]:
        return ()
    fix = "docker buildx imagetools inspect shows the digest" if match else ""
    return (ConfigProblem(field=field, rule=_RULE, got=value, fix=fix),)


def base_uri(field: str, value: str) -> tuple[ConfigProblem, ...]:
    """Check the URI of an image to build from: literal, and any tag, ``latest`` too."""
    match = _URI.fullmatch(value)
    if match and (match["tag"] or match["digest"]):
        if len(value) <= MAX_BASE:
            return ()
        return (
            ConfigProblem(field=field, rule=f"must be at most {MAX_BASE} characters", got=value),
        )
    rule = "must be REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@sha256:DIGEST, not a token"
    return (ConfigProblem(field=field, rule=rule, got=value),)


def ecr_repository(uri: str) -> EcrRepository | None:
    """Return the private repository of ECR's that a URI names; None for any other registry."""
    match = _URI.fullmatch(uri)
    private = _ECR.fullmatch(match["registry"]) if match else None
    if match is None or private is None:
        return None
    return EcrRepository(
        account=private["account"], region=private["region"], name=match["repository"]
    )
