"""Raw Karpenter manifests are checked against Karpenter's schema and rules."""

from __future__ import annotations

import copy
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cdk_emr_eks.errors import ConfigError
from cdk_emr_eks.model.networks.zones import Zone
from cdk_emr_eks.model.nodes import crd_schema, crds
from cdk_emr_eks.model.nodes.node_class import node_classes
from cdk_emr_eks.model.nodes.node_pool import node_pools
from cdk_emr_eks.model.workloads.catalog import DEFAULT_WORKLOADS
from cdk_emr_eks.model.workloads.workload import Workload
from cdk_emr_eks.versions import KARPENTER

DATA = Path(crds.__file__).parent / "data"

POOL: Mapping[str, object] = {
    "apiVersion": "karpenter.sh/v1",
    "kind": "NodePool",
    "metadata": {"name": "pool", "labels": {"team": "data"}},
    "spec": {
        "template": {
            "metadata": {"labels": {"team": "data"}},
            "spec": {
                "nodeClassRef": {
                    "group": "karpenter.k8s.aws",
                    "kind": "EC2NodeClass",
                    "name": "nvme",
                },
                "requirements": [
                    {"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]},
                    {
                        "key": "karpenter.k8s.aws/instance-local-nvme",
                        "operator": "Gt",
                        "values": ["100"],
                    },
                ],
                "taints": [{"key": "team", "value": "data", "effect": "NoSchedule"}],
                "expireAfter": "720h",
            },
        },
        "disruption": {
            "consolidationPolicy": "WhenEmpty",
            "consolidateAfter": "5m",
            "budgets": [{"nodes": "10%", "schedule": "0 9 * * *", "duration": "8h"}],
        },
        "limits": {"cpu": 1000, "memory": "4000Gi"},
        "weight": 10,
    },
}

CLASS: Mapping[str, object] = {
    "apiVersion": "karpenter.k8s.aws/v1",
    "kind": "EC2NodeClass",
    "metadata": {"name": "nvme"},
    "spec": {
        "role": "nodes",
        "amiSelectorTerms": [{"alias": "al2023@v20261023"}],
        "subnetSelectorTerms": [{"tags": {"karpenter.sh/discovery": "cluster"}}],
        "securityGroupSelectorTerms": [{"tags": {"karpenter.sh/discovery": "cluster"}}],
        "blockDeviceMappings": [
            {
                "deviceName": "/dev/xvda",
                "rootVolume": True,
                "ebs": {"volumeSize": "50Gi", "volumeType": "gp3", "encrypted": True},
            }
        ],
        "instanceStorePolicy": "RAID0",
        "kubelet": {"maxPods": 110, "evictionHard": {"memory.available": "5%"}},
        "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
        "tags": {"team": "data"},
    },
}

ABSENT = object()


def changed(base: Mapping[str, object], path: str, value: object) -> dict[str, object]:
    """Return a copy of a manifest with one place set or removed."""
    manifest = copy.deepcopy(dict(base))
    level: object = manifest
    *parents, last = [int(p) if p.isdigit() else p for p in path.split("|")]
    for part in parents:
        level = level[part]  # type: ignore[index]
    if value is ABSENT:
        del level[last]  # type: ignore[attr-defined]
    else:
        level[last] = value  # type: ignore[index]
    return manifest


def test_good_manifests_pass() -> None:
    crds.validate_manifest(POOL)
    crds.validate_manifest(CLASS)


SPEC = "spec|template|spec|"
NODE_POOL_DEFECTS = [
    (
        "spec|disruption|consolidateAftr",
        "5m",
        r"consolidateAftr is not a field .*consolidateAfter",
    ),
    ("status", {}, "status is written by Karpenter"),
    ("apiVersion", "karpenter.sh/v1beta1", "must be karpenter.sh/v1 NodePool"),
    ("metadata|name", "Pool_A", "metadata.name must be a DNS subdomain"),
    ("metadata|namespace", "kube-system", "metadata.namespace is not metadata"),
    ("metadata|labels", {"count": 3}, "metadata.labels must map text to text"),
    (SPEC + "nodeClassRef", ABSENT, "nodeClassRef is required"),
    (SPEC + "expireAfter", "30d", "expireAfter must match"),
    (SPEC + "expireAfter", "720h\n", "expireAfter must match"),
    (SPEC + "taints|0|effect", "NoRun", "effect must be one of"),
    (SPEC + "taints|0|timeAdded", "today", "timeAdded must be a date and time"),
    (SPEC + "requirements|0|operator", "Is", "operator must be one of"),
    (SPEC + "requirements|0|values", [], "must have a value defined"),
    (SPEC + "requirements|0|values", ABSENT, "whose evaluation failed"),
    (SPEC + "requirements|1|values", ["-1"], "single positive integer"),
    (SPEC + "requirements|1|values", ["many"], "whose evaluation failed"),
    (SPEC + "requirements|0|minValues", 2, "at least that many values"),
    (SPEC + "requirements|0|minValues", 51, "minValues must have maximum 50"),
    (SPEC + "requirements|0|key", "karpenter.sh/nodepool", r'label "karpenter.sh/nodepool" is'),
    (SPEC + "requirements|0|key", "karpenter.sh/nonsense", 'domain "karpenter.sh" is restricted'),
    (SPEC + "requirements|0|key", "karpenter.k8s.aws/colour", '"karpenter.k8s.aws" is restricted'),
    (SPEC + "requirements|0|key", "kubernetes.io/hostname", '"kubernetes.io/hostname" is restr'),
    ("spec|template|metadata|labels", {"kubernetes.io/hostname": "a"}, "is restricted"),
    ("spec|template|metadata|labels", {"karpenter.sh/x": "a"}, "is restricted"),
    ("spec|disruption|budgets", [{"nodes": "1", "schedule": "@daily"}], "must be set with"),
    ("spec|disruption|budgets", [{"nodes": "200%"}], "nodes must match"),
    ("spec|disruption|budgets", [{"nodes": "1"}] * 51, "budgets must have maxItems 50"),
    ("spec|disruption|consolidationPolicy", "Never", "must be one of"),
    ("spec|disruption|consolidationPolicy", None, "must be "),
    ("spec|limits|cpu", "many", "cpu must match"),
    ("spec|limits|cpu", [1], "cpu must be of type integer or string"),
    ("spec|replicas", 3, "(?s)only 'limits.nodes' is supported .* 'weight' is not supported"),
    ("spec|weight", 101, "weight must have maximum 100"),
    ("spec|weight", "10", "weight must be of type integer"),
]


@pytest.mark.parametrize(("path", "value", "message"), NODE_POOL_DEFECTS)
def test_node_pool_defects_are_refused(path: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        crds.validate_manifest(changed(POOL, path, value))


NODE_CLASS_DEFECTS = [
    ("spec|kubelet|registryPullQPS", 5, "registryPullQPS is not a field"),
    ("spec|subnetSelectorTerms", [], "subnetSelectorTerms cannot be empty"),
    ("spec|subnetSelectorTerms|0|tags", {"a": ""}, "empty tag"),
    ("spec|subnetSelectorTerms|0|id", "subnet-1", "'id' is mutually exclusive"),
    ("spec|amiSelectorTerms|0|alias", "al2023", "is improperly formatted"),
    ("spec|amiSelectorTerms|0|alias", "debian@v1", "family is not supported"),
    ("spec|amiSelectorTerms|0|alias", "windows2022@v1", "windows"),
    ("spec|amiFamily", "Bottlerocket", "amiFamily"),
    ("spec|role", ABSENT, "must specify exactly one of"),
    ("spec|instanceProfile", "profile", "must specify exactly one of"),
    ("spec|role", "", "role"),
    ("spec|tags", {"karpenter.sh/nodepool": "x"}, "restricted tag"),
    ("spec|tags", {"kubernetes.io/cluster/x": "owned"}, "restricted tag"),
    ("spec|blockDeviceMappings|0|ebs", {"volumeType": "gp3"}, "snapshotID or volumeSize"),
    ("spec|blockDeviceMappings|0|ebs|volumeSize", "0Gi", "volumeSize must match"),
    ("spec|blockDeviceMappings|0|ebs|volumeType", "gp4", "volumeType must be one of"),
    ("spec|blockDeviceMappings|0|ebs|iops", 2**63, "iops must fit into int64"),
    ("spec|kubelet|evictionHard", {"disk": "5%"}, "valid keys for evictionHard"),
    ("spec|kubelet|evictionSoft", {"memory.available": "5%"}, "evictionSoft"),
    ("spec|kubelet|imageGCHighThresholdPercent", 101, "must have maximum 100"),
    ("spec|kubelet|kubeReserved", {"cpu": "-1"}, "negative"),
    ("spec|metadataOptions|httpPutResponseHopLimit", 65, "must have maximum 64"),
    ("spec|instanceStorePolicy", "RAID1", "instanceStorePolicy must be one of"),
    ("spec|placementGroupSelector", {"name": "a", "id": "pg-1"}, "name"),
    (
        "spec|networkInterfaces",
        [{"networkCardIndex": 0, "deviceIndex": 1, "interfaceType": "interface"}],
        "networkInterfaces",
    ),
]


@pytest.mark.parametrize(("path", "value", "message"), NODE_CLASS_DEFECTS)
def test_node_class_defects_are_refused(path: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        crds.validate_manifest(changed(CLASS, path, value))


def test_one_error_reports_all_problems() -> None:
    manifest = changed(changed(POOL, SPEC + "requirements|0|values", []), "spec|colour", "red")
    with pytest.raises(ConfigError) as caught:
        crds.validate_manifest(changed(manifest, "spec|weight", 0))
    assert set(caught.value.fields) == {
        "spec.colour",
        "spec.weight",
        "spec.template.spec.requirements",
    }


def test_another_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="apiVersion and kind"):
        crds.validate_manifest({"apiVersion": "v1", "kind": "Pod"})
    with pytest.raises(ConfigError, match=r"EC2NodeClass, got ' '\."):
        crds.validate_manifest({})


def test_rules_on_text_do_not_apply_to_tokens() -> None:
    token = "${Token[AWS.Region.4]}-1a"
    crds.validate_manifest(changed(POOL, SPEC + "requirements|0|values", [token]))
    crds.validate_manifest(changed(CLASS, "spec|role", token))


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install cdk-emr-eks\[manifests\]"):
        crds.validate_manifest(POOL)


def rules(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for rule in schema.get("x-kubernetes-validations", []):
            yield rule["rule"]
        for child in schema.values():
            yield from rules(child)


def all_rules() -> list[str]:
    return [rule for path in DATA.glob("*.json") for rule in rules(json.loads(path.read_text()))]


def test_only_known_functions_are_used() -> None:
    """A new version whose rules call another function must fail this test."""
    used = {name for rule in all_rules() for name in re.findall(r"(\w+)\(", rule)}
    assert used <= {
        "all", "exists", "filter", "has", "size",  # macros and sizes
        "matches", "startsWith", "endsWith", "find", "split", "int",
    }  # fmt: skip


def test_only_transition_rules_are_skipped() -> None:
    skipped = {rule for rule in all_rules() if crd_schema._TRANSITION.search(rule)}
    assert skipped == {
        "self.group == oldSelf.group",
        "self.kind == oldSelf.kind",
        "has(self.replicas) == has(oldSelf.replicas)",
    }


def test_a_function_that_the_evaluator_lacks_refuses() -> None:
    schema = {"x-kubernetes-validations": [{"rule": "quantity(self).isInteger()", "message": "m"}]}
    (problem,) = crd_schema.broken_rules(schema, "1", frozenset())
    assert "quantity" in problem.rule


def test_defaults_are_set_before_the_rules_run() -> None:
    schema = {
        "properties": {"a": {"default": 1}, "b": {"properties": {"c": {"default": 2}}}},
        "x-kubernetes-validations": [{"rule": "self.a == 1 && self.b.c == 2", "message": "m"}],
    }
    given: dict[str, object] = {"b": {}}
    filled = crd_schema.with_defaults(schema, given)
    assert filled == {"a": 1, "b": {"c": 2}}
    assert given == {"b": {}}
    assert crd_schema.broken_rules(schema, filled, frozenset()) == []
    assert len(crd_schema.broken_rules(schema, given, frozenset())) == 1


def test_the_schemas_are_those_of_the_installed_version() -> None:
    versions = {path.name: json.loads(path.read_text())["version"] for path in DATA.glob("*.json")}
    assert versions == {
        "karpenter.sh_nodepools.json": KARPENTER,
        "karpenter.k8s.aws_ec2nodeclasses.json": KARPENTER,
    }


ZONES = (Zone(key="us-east-1a", name="us-east-1a"), Zone(key="zone-2", name="${Token[TOKEN.12]}"))


@pytest.mark.parametrize("workload", DEFAULT_WORKLOADS, ids=lambda workload: workload.name)
def test_the_library_s_own_node_pools_are_valid(workload: Workload) -> None:
    pools = node_pools(workload, ZONES)
    assert pools
    for pool in pools:
        crds.validate_manifest(pool.manifest())


def test_the_library_s_own_node_classes_are_valid() -> None:
    classes = node_classes(DEFAULT_WORKLOADS)
    assert classes
    for node_class in classes:
        manifest = node_class.manifest(cluster_name="cluster", role="${Token[TOKEN.9]}")
        crds.validate_manifest(manifest)


@pytest.mark.parametrize("name", ["a", "a.b-c.9", "a" * 253])
def test_names_that_kubernetes_accepts(name: str) -> None:
    crds.validate_manifest(changed(POOL, "metadata|name", name))


@pytest.mark.parametrize("name", ["", "A", "a..b", "-a", "a-", "a_b", "a" * 254, 7, None])
def test_names_that_kubernetes_refuses(name: object) -> None:
    with pytest.raises(ConfigError) as caught:
        crds.validate_manifest(changed(POOL, "metadata|name", name))
    assert "metadata.name must be a DNS subdomain (a-z, 0-9, '-', '.', at most 253)" in str(
        caught.value
    )


@pytest.mark.parametrize("key", ["labels", "annotations"])
def test_labels_and_annotations_map_text_to_text(key: str) -> None:
    for value in (["a"], {"a": 1}):
        with pytest.raises(ConfigError, match=rf"metadata\.{key} must map text to text"):
            crds.validate_manifest(changed(POOL, f"metadata|{key}", value))


def test_metadata_that_a_manifest_can_set() -> None:
    metadata = {"name": "pool", "annotations": {}, "finalizers": [], "ownerReferences": []}
    crds.validate_manifest(changed(POOL, "metadata", metadata))
    with pytest.raises(ConfigError, match="metadata is required, with a name, got 'pool'"):
        crds.validate_manifest(changed(POOL, "metadata", "pool"))


def test_a_rule_is_skipped_where_the_schema_refuses_the_value() -> None:
    schema = {
        "properties": {"a": {"x-kubernetes-validations": [{"rule": "self > 1", "message": "m"}]}}
    }
    assert crd_schema.broken_rules(schema, {"a": 0}, frozenset({("a",)})) == []
    assert crd_schema.broken_rules(schema, {"a": 0}, frozenset({("b",)})) != []
    assert crd_schema.broken_rules(schema, {"a": 2}, frozenset()) == []
    (problem,) = crd_schema.broken_rules(schema, {"a": 0}, frozenset())
    assert str(problem) == "a breaks Karpenter's rule: m, got 0"


def test_paths_as_users_write_them() -> None:
    assert crd_schema.dotted(("spec", "taints", 0, "key")) == "spec.taints[0].key"
    assert crd_schema.dotted(()) == "the manifest"


@pytest.mark.parametrize(
    ("schema", "value", "text"),
    [
        ({"format": "int32"}, 2**31, "must fit into int32"),
        ({"format": "int32"}, -(2**31) - 1, "must fit into int32"),
        ({"format": "int64"}, 2**63, "must fit into int64"),
        ({"format": "date-time"}, "today", "must be a date and time such as 2026-11-30T12:00:00Z"),
        ({"maxLength": 3}, "abcd", "must have at most 3 characters"),
        ({"pattern": "^a$"}, "a\n", "must match ^a$"),
        ({"enum": ["a", "b"]}, "c", "must be one of a, b"),
        ({"x-kubernetes-list-type": "set"}, ["a", "a"], "must not name the same thing twice"),
        ({"type": "integer"}, "a", "must be of type integer"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, [], "of type integer or string"),
        ({"minimum": 3}, 2, "must have minimum 3"),
    ],
)
def test_keywords_of_a_schema(schema: Mapping[str, object], value: object, text: str) -> None:
    (problem,), places = crd_schema.structural_problems(schema, value)
    assert text in str(problem)
    assert places == {()}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"format": "int32"}, 2**31 - 1),
        ({"format": "int32"}, -(2**31)),
        ({"format": "date-time"}, "2026-11-30T12:00:00.5+01:00"),
        ({"maxLength": 3}, "abc"),
        ({"maxLength": 3}, "${Token[Name.1]}"),
        ({"pattern": "^a$"}, "a"),
        ({"enum": ["a"]}, "${Token[Name.1]}"),
        ({"x-kubernetes-list-type": "atomic"}, ["a", "a"]),
        ({"x-kubernetes-list-type": "set"}, ["a", "b"]),
    ],
)
def test_values_that_a_schema_accepts(schema: Mapping[str, object], value: object) -> None:
    assert crd_schema.structural_problems(schema, value) == ([], frozenset())


def test_an_unknown_field_gets_a_proposal_or_the_known_fields() -> None:
    schema: dict[str, object] = {"properties": {"weight": {}, "limits": {}}}
    (near,), _ = crd_schema.structural_problems(schema, {"weihgt": 1})
    assert near.fix == "did you mean 'weight'?"
    (far,), places = crd_schema.structural_problems(schema, {"zzz": 1})
    assert far.fix == "known: weight, limits"
    assert places == frozenset()
    open_: list[dict[str, object]] = [
        {"additionalProperties": {}},
        {"x-kubernetes-preserve-unknown-fields": True},
    ]
    for extra in open_:
        assert crd_schema.structural_problems({**schema, **extra}, {"zzz": 1})[0] == []


def test_a_missing_field_is_named_with_its_path() -> None:
    schema = {"properties": {"a": {"required": ["b", "c"]}}}
    problems, _ = crd_schema.structural_problems(schema, {"a": {}})
    assert [str(each) for each in problems] == ["a.b is required", "a.c is required"]


def test_a_rule_shows_short_values_only() -> None:
    schema = {"x-kubernetes-validations": [{"rule": "false"}]}
    # With its quotes the text has 120 and 121 characters.
    (short,) = crd_schema.broken_rules(schema, "a" * 118, frozenset())
    (long,) = crd_schema.broken_rules(schema, "a" * 119, frozenset())
    assert (short.got, long.got) == ("a" * 118, None)
    assert short.rule == "breaks Karpenter's rule: must fulfil the rule false"


def test_entries_of_a_map_have_the_schema_of_its_other_properties() -> None:
    schema: dict[str, object] = {"properties": {"a": {"type": "integer"}}}
    schema["additionalProperties"] = {"type": "string"}
    found = list(crd_schema.child_schemas(schema, {"a": 1, "b": "text"}))
    assert found == [("a", {"type": "integer"}, 1), ("b", {"type": "string"}, "text")]
