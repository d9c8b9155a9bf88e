"""Every example synthesizes, stays within CloudFormation's limits, and is what its README says."""

from __future__ import annotations

import json
import re
from typing import Final

import pytest

from tests.conftest import APPS, ROOT, Assemblies
from tests.static.suppressions import FOREIGN

EXAMPLES: Final = [name for name in APPS if name != "reference"]
MAX_RESOURCES: Final = 450
MAX_BYTES: Final = 900_000


@pytest.mark.parametrize("name", APPS)
def test_no_stack_nears_the_limits(name: str, assemblies: Assemblies) -> None:
    assembly = assemblies(name)
    found = assembly.templates()
    assert found
    for stack, template in found.items():
        assert len(template["Resources"]) <= MAX_RESOURCES, stack
        assert (assembly.folder / f"{stack}.template.json").stat().st_size <= MAX_BYTES, stack


@pytest.mark.parametrize("name", APPS)
def test_no_app_brings_a_webhook(name: str, assemblies: Assemblies) -> None:
    """Admission is the API server's own: nothing that could be down, or could be asked."""
    for stack, template in assemblies(name).templates().items():
        kinds = set(re.findall(r"kind\W+([A-Z]\w+)", json.dumps(template)))
        assert not {kind for kind in kinds if "Webhook" in kind}, stack
        if "AWS::EKS::Cluster" in json.dumps(template) and stack not in FOREIGN:
            assert {"ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"} <= kinds, stack


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_has_a_readme_with_its_command(name: str) -> None:
    readme = (ROOT / "examples" / name / "README.md").read_text()
    assert f"examples/{name}/app.py" in readme


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_readme_lists_the_stacks_with_their_resources(
    name: str, assemblies: Assemblies
) -> None:
    readme = (ROOT / "examples" / name / "README.md").read_text()
    for stack, template in assemblies(name).templates().items():
        assert f"| {stack} | {len(template['Resources'])} |" in readme


def test_the_minimal_example_is_minimal() -> None:
    lines = (ROOT / "examples/minimal/app.py").read_text().splitlines()
    assert len(lines) <= 25


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_example_shows_zones_that_do_not_exist(name: str, assemblies: Assemblies) -> None:
    # What the CDK puts in for a region whose zones it could not ask for.
    for stack, template in assemblies(name).templates().items():
        assert '"dummy1' not in json.dumps(template), stack


def test_a_hundred_tenants_are_a_hundred_tenants(assemblies: Assemblies) -> None:
    found = assemblies("hundred_tenants").templates()
    resources = [each for template in found.values() for each in template["Resources"].values()]
    clusters = [each for each in resources if each["Type"] == "AWS::EMRContainers::VirtualCluster"]
    namespaces = {
        each["Properties"]["ContainerProvider"]["Info"]["EksInfo"]["Namespace"] for each in clusters
    }
    assert len(namespaces) == 100


def test_the_reference_platform_keeps_its_bars(assemblies: Assemblies) -> None:
    resources = assemblies("reference").templates()["EmrEksPlatform"]["Resources"].values()
    types = [each["Type"] for each in resources]
    kubernetes = [each for each in types if each.startswith("Custom::AWSCDK-EKS-")]
    assert len(kubernetes) <= 8
    assert types.count("AWS::Lambda::Function") <= 4
    assert types.count("AWS::IAM::Role") <= 12


def test_a_tenant_keeps_its_bar(assemblies: Assemblies) -> None:
    template = assemblies("reference").templates()["EmrEksTenants"]
    assert len(template["Resources"]) <= 9


def test_what_the_example_of_an_existing_vpc_warns_of_is_in_its_readme(
    assemblies: Assemblies,
) -> None:
    report = json.loads((assemblies("existing_vpc").folder / "validation-report.json").read_text())
    warned = [each["ruleName"] for own in report["pluginReports"] for each in own["violations"]]
    assert warned == ["Annotation::cdk-emr-eks:untagged-subnets"]
    readme = (ROOT / "examples/existing_vpc/README.md").read_text()
    assert warned[0].removeprefix("Annotation::") in readme
