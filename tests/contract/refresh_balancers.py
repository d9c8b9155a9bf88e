"""Rebuild the contract data that comes out of the AWS Load Balancer Controller's repository.

    make refresh-balancers ARGS="--checkout DIR --commit SHA --helm HELM"

``DIR`` is a checkout of github.com/kubernetes-sigs/aws-load-balancer-controller at a commit whose
chart has the version of ``versions.LOAD_BALANCER_CONTROLLER``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import yaml

from cdk_emr_eks.addons.load_balancer_controller import LoadBalancerController
from cdk_emr_eks.addons.load_balancer_controller.construct import LoadBalancerChartContext
from cdk_emr_eks.clusters.manifests import plain
from cdk_emr_eks.model.clusters.addon_mirror import BALANCERS_CHART as CHART
from cdk_emr_eks.versions import LOAD_BALANCER_CONTROLLER
from tests.contract.refresh import CONTRACT_DATA, ROOT, write

REPOSITORY: Final = "https://github.com/kubernetes-sigs/aws-load-balancer-controller"
POLICY: Final = "docs/install/iam_policy.json"
POLICY_DATA: Final = ROOT / "constructs/cdk_emr_eks/addons/load_balancer_controller/iam_policy.json"
FEATURES: Final = "pkg/config/feature_gates.go"
CHART_CONTEXT: Final = LoadBalancerChartContext(
    cluster_name="data-platform",
    region="eu-west-1",
    vpc_id="vpc-0123456789abcdef0",
    node_selector={"emr-eks/system": "true"},
    tolerations=({"key": "emr-eks/system", "operator": "Exists"},),
    image="mirror.example/eks/aws-load-balancer-controller",
)
# The chart makes new certificates at each rendering.
_RANDOM: Final = ("caBundle", "Secret/")


def leaves(values: Mapping[str, object], path: str = "") -> Iterator[tuple[str, object]]:
    """Yield each leaf of a tree of values by its path; lists and empty maps are leaves."""
    for key, value in values.items():
        place = f"{path}.{key}" if path else key
        if isinstance(value, Mapping) and value:
            yield from leaves(value, place)
        else:
            yield place, value


def places(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield each leaf of a rendered object by its place."""
    items = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]
    for key, item in items:
        place = f"{path}.{key}".lstrip(".")
        if isinstance(item, dict | list) and item:
            yield from places(item, place)
        else:
            yield place, item


def render(helm: Path, chart: Path, values: Mapping[str, object]) -> dict[str, object]:
    """Render the chart: every leaf of every object by its place."""
    command = [str(helm), "template", CHART, str(chart), "--namespace", "kube-system"]
    answer = subprocess.run(
        [*command, "--kube-version", "1.36.0", "--values", "-"],
        input=json.dumps(plain(values)),
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, object] = {}
    for document in yaml.safe_load_all(answer.stdout):
        if document:
            name = f"{document['kind']}/{document['metadata']['name']}"
            found.update((f"{name}:{place}", value) for place, value in places(document))
    return {p: v for p, v in found.items() if not any(word in p for word in _RANDOM)}


def changed(values: Mapping[str, object], path: str, value: object) -> dict[str, object]:
    """Return a tree of values with one leaf changed."""
    first, _, rest = path.partition(".")
    if not rest:
        return {**values, first: value}
    below = values[first]
    assert isinstance(below, Mapping)
    # A key may hold dots itself, as labels do.
    if rest in below:
        return {**values, first: {**below, rest: value}}
    return {**values, first: changed(below, rest, value)}


def other(value: object) -> object:
    """Choose another value for a leaf."""
    match value:
        case bool():
            return not value
        case int():
            return value + 7
        case list() | tuple():
            return []
        case _:
            return f"{value}0"


def effects(helm: Path, chart: Path) -> dict[str, list[str]]:
    """Change each value that the library sets alone, and note the first places that moved."""
    ours = LoadBalancerController().values(CHART_CONTEXT)
    rendered = render(helm, chart, ours)
    found: dict[str, list[str]] = {}
    for path, value in leaves(ours):
        after = render(helm, chart, changed(ours, path, other(value)))
        moved = {p for p in rendered.keys() | after.keys() if rendered.get(p) != after.get(p)}
        found[path] = sorted(moved)[:3]
    return found


def main() -> None:
    """Read the command line and write the data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkout", type=Path, required=True)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--helm", type=Path, required=True)
    arguments = parser.parse_args()
    checkout: Path = arguments.checkout
    chart = checkout / f"helm/{CHART}"
    version = yaml.safe_load((chart / "Chart.yaml").read_text())["version"]
    if version != LOAD_BALANCER_CONTROLLER:
        parser.error(f"the checkout has chart {version}, not {LOAD_BALANCER_CONTROLLER}")

    def source(path: str) -> dict[str, str]:
        digest = hashlib.sha256((checkout / path).read_bytes()).hexdigest()
        origin = {"repository": REPOSITORY, "ref": arguments.commit, "licence": "Apache-2.0"}
        return {**origin, "path": path, "sha256": digest}

    policy = json.loads((checkout / POLICY).read_text())
    # Not sorted: the order of keys is that of the published policy.
    text = json.dumps({"source": source(POLICY), "policies": {"controller": policy}}, indent=1)
    POLICY_DATA.write_text(text + "\n")
    features = re.findall(r'Feature += "(\w+)"', (checkout / FEATURES).read_text())
    data = {
        "source": source(f"helm/{CHART}/values.yaml"),
        "version": version,
        "defaults": yaml.safe_load((chart / "values.yaml").read_text()),
        "effects": effects(arguments.helm, chart),
        "features": sorted(features),
    }
    write(CONTRACT_DATA / "balancers_chart.json", data)


if __name__ == "__main__":
    main()
