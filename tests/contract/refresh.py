"""Rebuild the contract data that comes out of Karpenter's repository.

    make refresh-karpenter ARGS="[--module DIR] [--docs DIR] [--docs-commit SHA] [--helm PATH]"

``--module`` is the folder of the Go module; without it ``go mod download`` fetches the version of
``versions.KARPENTER``. The CRD schemas are always written. ``--docs`` is a checkout of the same
repository that has ``website/`` of that minor version (the module has none): with it the policies
and event rules are written. ``--helm`` is a helm program: with it the chart is rendered.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from cdk_emr_eks.versions import KARPENTER
from tests.contract import render_chart
from tests.contract.cfn_yaml import load_template

MODULE: Final = "github.com/aws/karpenter-provider-aws"
ROOT: Final = Path(__file__).resolve().parents[2]
CRD_DATA: Final = ROOT / "constructs/cdk_emr_eks/model/nodes/data"
CONTRACT_DATA: Final = ROOT / "tests/contract/data"
POLICY_DATA: Final = ROOT / "constructs/cdk_emr_eks/addons/karpenter/controller_policies.json"
# Names of the published policies, and those of the library, which are part of construct ids.
POLICY_NAMES: Final = {
    "NodeLifecyclePolicy": "NodeLifecycle",
    "IAMIntegrationPolicy": "IamIntegration",
    "EKSIntegrationPolicy": "EksIntegration",
    "InterruptionPolicy": "Interruption",
    "ResourceDiscoveryPolicy": "ResourceDiscovery",
    "ZonalShiftPolicy": "ZonalShift",
}
CRDS: Final = ("karpenter.sh_nodepools", "karpenter.k8s.aws_ec2nodeclasses")
DOCS_TEMPLATE: Final = (
    "website/content/en/v{minor}/getting-started/getting-started-with-karpenter/cloudformation.yaml"
)


def write(path: Path, data: object) -> None:
    """Write JSON in the one format of all contract data."""
    path.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n")


def source(path: str, content: bytes, commit: str) -> dict[str, str]:
    """Say where a data file comes from."""
    return {
        "repository": f"https://{MODULE}",
        "ref": commit,
        "path": path,
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": "Apache-2.0",
    }


def download_module() -> Path:
    """Fetch the module through Go's own module cache and return its folder."""
    command = ["go", "mod", "download", "-json", f"{MODULE}@v{KARPENTER}"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return Path(json.loads(answer.stdout)["Dir"])


def without_descriptions(schema: Mapping[str, object]) -> dict[str, object]:
    """Drop the prose of a schema: half of its size, and no rule."""
    slim: dict[str, object] = {}
    for key, value in schema.items():
        if key == "description":
            continue
        if key == "properties" and isinstance(value, dict):
            slim[key] = {name: without_descriptions(child) for name, child in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            slim[key] = without_descriptions(value)
        else:
            slim[key] = value
    return slim


def write_crds(module: Path) -> None:
    """Write the v1 schema of each custom resource that users hand in."""
    for name in CRDS:
        relative = f"pkg/apis/crds/{name}.yaml"
        content = (module / relative).read_bytes()
        crd = yaml.safe_load(content)
        (version,) = (v for v in crd["spec"]["versions"] if v["name"] == "v1")
        data = {
            "source": source(relative, content, f"v{KARPENTER}"),
            "version": KARPENTER,
            "group": crd["spec"]["group"],
            "kind": crd["spec"]["names"]["kind"],
            "scope": crd["spec"]["scope"],
            "schema": without_descriptions(version["schema"]["openAPIV3Schema"]),
        }
        write(CRD_DATA / f"{name}.json", data)


def write_template(docs: Path, commit: str) -> None:
    """Write the resources of the template that Karpenter's guide has users deploy."""
    relative = DOCS_TEMPLATE.format(minor=KARPENTER.rpartition(".")[0])
    content = (docs / relative).read_bytes()
    resources = load_template(content.decode())["Resources"]
    write(
        CONTRACT_DATA / "karpenter_cloudformation.json",
        {"source": source(relative, content, commit), "resources": resources},
    )


def write_policies(docs: Path, commit: str) -> None:
    """Write the controller's policies of the same template as data of the add-on."""
    relative = DOCS_TEMPLATE.format(minor=KARPENTER.rpartition(".")[0])
    content = (docs / relative).read_bytes()
    data = policy_data(load_template(content.decode())["Resources"])
    # Not sorted: the order of keys is that of the published policies.
    text = json.dumps({"source": source(relative, content, commit), "policies": data}, indent=1)
    POLICY_DATA.write_text(text + "\n")


def policy_data(resources: Mapping[str, Any]) -> dict[str, object]:
    """Return the policy documents of the template by the name that the library gives them."""
    return {
        name: json.loads(resources[published]["Properties"]["PolicyDocument"]["Fn::Sub"])
        for published, name in POLICY_NAMES.items()
    }


def write_chart(module: Path, helm: Path) -> None:
    """Write what each value of the chart does.

    The module's chart says an older version and image: the release script writes both when it
    packs the chart of the tagged commit, and changes nothing else (hack/release/common.sh).
    """
    relative = f"{render_chart.CHART}/values.yaml"
    content = (module / relative).read_bytes()
    data = render_chart.chart_data(module, helm)
    write(
        CONTRACT_DATA / "karpenter_chart.json",
        {"source": source(relative, content, f"v{KARPENTER}"), "version": KARPENTER, **data},
    )


def main() -> None:
    """Read the command line and write the data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module", type=Path)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--docs-commit", default="")
    parser.add_argument("--helm", type=Path)
    arguments = parser.parse_args()
    if arguments.docs and not arguments.docs_commit:
        parser.error("--docs needs --docs-commit, the commit that the checkout has")
    module: Path = arguments.module or download_module()
    write_crds(module)
    if arguments.docs:
        write_template(arguments.docs, arguments.docs_commit)
        write_policies(arguments.docs, arguments.docs_commit)
    if arguments.helm:
        write(
            CONTRACT_DATA / "karpenter_chart.json", render_chart.chart_data(module, arguments.helm)
        )


if __name__ == "__main__":
    main()
