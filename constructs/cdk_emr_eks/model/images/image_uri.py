"""URIs of container images."""

from __future__ import annotations

import re
from typing import Final

from cdk_emr_eks.errors import ConfigProblem
from cdk_emr_eks.tokens import has_token
from cdk_emr_eks.values import value

_URI: Final = re.compile(
    r"(?P<registry>[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?)/"
    r"(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_ECR: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?"
)

# Characters of a base image's URI. CodePipeline limits the environment of a build to 1,000
# characters, and CloudFormation's callback URL, which contains the stack's name, can have over 600.
# Source: https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionDeclaration.html
MAX_BASE: Final = 200
_RULE: Final = "must be an image with its digest (REGISTRY/REPOSITORY@sha256:...), or a token"


@value
class EcrRepository:
    """A private repository of ECR.

    Args:
        account: Account of the registry.
        region: Region of the registry.
        name: Name of the repository.
    """

    account: str
    region: str
    name: str


def image_uri(field: str, value: str) -> tuple[ConfigProblem, ...]:
    """Check the URI of an image that pods run: it must contain the digest.

    A tag can be moved to another image, and pods of one job would then run different images. A
    token passes, such as ``SparkImage.uri``: its value is known only during deployment.

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
    """Check the URI of an image to build from: literal, with any tag or a digest."""
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
    """Return the private ECR repository of a URI; None for any other registry."""
    match = _URI.fullmatch(uri)
    private = _ECR.fullmatch(match["registry"]) if match else None
    if match is None or private is None:
        return None
    return EcrRepository(
        account=private["account"], region=private["region"], name=match["repository"]
    )
