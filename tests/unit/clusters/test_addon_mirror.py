"""Names of mirrored charts and images, and the commands that fill the mirror."""

from __future__ import annotations

import re

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.clusters.addon_mirror import AddonMirror

HOST = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize("prefix", ["ab", "ecr-public", "team/mirror", "a.b_c-d/e__f", "x" * 30])
def test_prefixes_that_ecr_accepts(prefix: str) -> None:
    mirror = AddonMirror(prefix=prefix)
    assert mirror.repository("karpenter/controller") == f"{prefix}/karpenter/controller"


@pytest.mark.parametrize(
    "prefix",
    ["", "a", "x" * 31, "ROOT", "Mirror", "mirror/", "/mirror", "a//b", "a..b", "-ab", "mirror:1"],
)
def test_prefixes_that_ecr_refuses(prefix: str) -> None:
    with pytest.raises(ConfigError, match="AddonMirror: prefix must be 2 to 30 characters"):
        AddonMirror(prefix=prefix)


@pytest.mark.parametrize("account", ["", "11112222333", "1111222233334", "ecr", HOST])
def test_an_account_is_12_digits(account: str) -> None:
    with pytest.raises(ConfigError, match="AddonMirror: account must be an account id of 12"):
        AddonMirror(account=account)


def test_a_chart_of_no_registry_is_not_below_the_prefix_of_the_cache() -> None:
    mirror = AddonMirror(prefix="cache")
    assert mirror.chart("some-chart") == "cache-charts/some-chart"
    assert not mirror.chart("some-chart").startswith("cache/")


def test_the_commands_pull_every_chart_and_image_at_its_version() -> None:
    commands = AddonMirror(prefix="cache").fill_commands(
        HOST, region="eu-west-1", karpenter="1.14.2", load_balancer_controller="3.6.0"
    )
    assert commands == (
        "aws ecr get-login-password --region eu-west-1 | "
        f"helm registry login --username AWS --password-stdin {HOST}",
        "aws ecr get-login-password --region eu-west-1 | "
        f"docker login --username AWS --password-stdin {HOST}",
        f"helm pull oci://{HOST}/cache/karpenter/karpenter-crd --version 1.14.2",
        f"helm pull oci://{HOST}/cache/karpenter/karpenter --version 1.14.2",
        f"docker pull {HOST}/cache/karpenter/controller:1.14.2",
        f"docker pull {HOST}/cache/eks/aws-load-balancer-controller:v3.6.0",
        "helm pull aws-load-balancer-controller --repo https://aws.github.io/eks-charts "
        "--version 3.6.0",
        f"helm push aws-load-balancer-controller-3.6.0.tgz oci://{HOST}/cache-charts",
    )
    # Helm writes each chart to a file of its name, so the names must differ.
    names = [re.findall(r"([a-z-]+) --", each)[0] for each in commands if "helm pull" in each]
    assert len(set(names)) == len(names)
