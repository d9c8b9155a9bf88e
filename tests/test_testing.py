"""Template snapshots: what makes one fail, and what does not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_eks as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from cdk_emr_eks.template_text import template_text
from cdk_emr_eks.testing import TemplateSnapshotExtension, template_of

Template = dict[str, object]
pytest_plugins = ["pytester"]

HASH = "0123456789abcdef" * 4

TEST_FILE = """
import json, os
from pathlib import Path
from cdk_emr_eks.testing import template_snapshot

def test_platform(template_snapshot):
    assert json.loads(Path(os.environ["TEMPLATE"]).read_text()) == template_snapshot
"""


def stack(folder: Path, *, code: str = "1", timeout: str = "a", queue: bool = True) -> Template:
    """Synthesize a stack with a function from an asset, a manifest, an add-on and a policy."""
    source = folder / f"code-{code}"
    source.mkdir(exist_ok=True)
    (source / "index.py").write_text(f"x = {code}\n")
    made = Stack(App(), "Small")
    function = lambda_.Function(
        made,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_asset(str(source)),
    )
    CfnOutput(made, "Version", value=function.current_version.version)
    eks.CfnAddon(
        made,
        "Addon",
        addon_name="vpc-cni",
        cluster_name="c",
        configuration_values=json.dumps({"env": {"NAME": timeout}}),
    )
    topic = sqs.Queue(made, "Queue") if queue else None
    function.add_to_role_policy(
        iam.PolicyStatement(
            actions=["sqs:SendMessage", "sqs:ReceiveMessage"],
            resources=[topic.queue_arn if topic else "arn:aws:sqs:::none"],
        )
    )
    return template_of(made)


@pytest.fixture(scope="module")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Template]:
    folder = tmp_path_factory.mktemp("code")
    return lambda **options: stack(folder, **options)


@pytest.fixture(scope="module")
def base(synth: Callable[..., Template]) -> Template:
    return synth()


def differing(old: Template, new: Template) -> list[str]:
    before, after = template_text(old).splitlines(), template_text(new).splitlines()
    return [f"-{line.strip()}" for line in before if line not in after] + [
        f"+{line.strip()}" for line in after if line not in before
    ]


def test_the_same_stack_twice_is_equal(base: Template, synth: Callable[..., Template]) -> None:
    assert template_text(base) == template_text(synth())


def test_a_changed_asset_alone_is_no_difference(
    base: Template, synth: Callable[..., Template]
) -> None:
    other = synth(code="2")
    assert base != other
    assert template_text(base) == template_text(other)


def test_a_changed_value_in_a_json_text_is_one_line(
    base: Template, synth: Callable[..., Template]
) -> None:
    assert differing(base, synth(timeout="b")) == ["-NAME: a", "+NAME: b"]


def test_a_removed_resource_is_a_difference(base: Template, synth: Callable[..., Template]) -> None:
    assert "-Type: AWS::SQS::Queue" in differing(base, synth(queue=False))


def test_cdk_adds_nothing_to_a_snapshot(base: Template) -> None:
    text = template_text(base)
    for noise in ("BootstrapVersion", "aws:cdk:path", "aws:asset:path", "CDK::Metadata"):
        assert noise not in text
    assert "S3Key: <asset>.zip" in text


def test_paths_are_kept_on_request() -> None:
    resource = {"Type": "T", "Metadata": {"aws:cdk:path": "S/R", "aws:asset:path": "x"}}
    text = template_text({"Resources": {"R": resource}}, keep_paths=True)
    assert "aws:cdk:path: S/R" in text
    assert "aws:asset:path" not in text


def test_metadata_of_others_stays() -> None:
    resource = {"Type": "T", "Metadata": {"cdk_nag": {"rules": []}, "aws:cdk:path": "S/R"}}
    assert "cdk_nag" in template_text({"Resources": {"R": resource}})


def test_an_image_digest_is_a_choice_and_stays() -> None:
    image = {"Image": f"repo@sha256:{HASH}", "Asset": f"repo:{HASH}"}
    text = template_text({"Resources": {"R": {"Type": "T", "Properties": image}}})
    assert f"Image: repo@sha256:{HASH}" in text
    assert "Asset: repo:<asset>" in text


def test_parameters_of_old_asset_bundles_lose_their_hash() -> None:
    def template(*hashes: str) -> Template:
        names = [f"AssetParameters{each}S3Bucket1234ABCD" for each in hashes]
        buckets = {
            f"R{n}": {"Type": "T", "Properties": {"B": {"Ref": name}}}
            for n, name in enumerate(names)
        }
        return {"Parameters": {name: {"Type": "String"} for name in names}, "Resources": buckets}

    other = HASH[::-1]
    text = template_text(template(HASH, other))
    assert text == template_text(template("a" * 64, "b" * 64))
    # Two bundles stay two.
    assert "AssetParameters1S3Bucket" in text
    assert "!Ref 'AssetParameters2S3Bucket1234ABCD'" in text


def read(properties: object) -> str:
    return template_text({"Resources": {"R": {"Type": "T", "Properties": properties}}})


def test_order_without_meaning_makes_no_difference() -> None:
    statement = {"Effect": "Allow", "Action": ["b", "a"], "Resource": [{"Ref": "Y"}, {"Ref": "X"}]}
    turned = {"Resource": [{"Ref": "X"}, {"Ref": "Y"}], "Action": ["a", "b"], "Effect": "Allow"}
    assert read({"P": statement}) == read({"P": turned})
    tags = [{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "2"}]
    assert read({"Tags": tags}) == read({"Tags": tags[::-1]})
    depends = {"Type": "T", "DependsOn": ["B", "A"]}
    turned_depends = {"Type": "T", "DependsOn": ["A", "B"]}
    assert template_text({"Resources": {"R": depends}}) == template_text(
        {"Resources": {"R": turned_depends}}
    )


@pytest.mark.parametrize(
    "properties",
    [
        {"Command": ["b", "a"]},
        {"Manifest": json.dumps([{"kind": "B"}, {"kind": "A"}])},
        {"X": {"Fn::Select": [1, ["b", "a"]]}},
        {"Containers": [{"Name": "b"}, {"Name": "a"}]},
    ],
)
def test_order_with_meaning_is_kept(properties: dict[str, object]) -> None:
    turned = json.loads(json.dumps(properties), object_hook=turn)
    assert read(turned) != read(properties)


def turn(value: dict[str, object]) -> dict[str, object]:
    """Reverse every list, also those inside JSON texts."""
    turned: dict[str, object] = {}
    for key, item in value.items():
        if key == "Manifest":
            turned[key] = json.dumps(json.loads(str(item))[::-1])
        elif key == "Fn::Select" and isinstance(item, list):
            turned[key] = [item[0], item[1][::-1]]
        else:
            turned[key] = item[::-1] if isinstance(item, list) else item
    return turned


def test_tokens_in_joined_texts_are_readable() -> None:
    name = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":x:${literal}"]]}
    assert "!Sub 'arn:${AWS::Partition}:x:${!literal}'" in read({"Arn": name})
    values = {"Fn::Join": ["", ['{"endpoint":"', {"Fn::GetAtt": ["C", "Endpoint"]}, '"}']]}
    text = read({"Values": values})
    assert "Values: !Json\n" in text
    assert "endpoint: ${C.Endpoint}" in text


def test_a_text_and_a_structure_are_not_the_same() -> None:
    assert read({"P": '{"a": 1}'}) != read({"P": {"a": 1}})


def test_a_snapshot_is_yaml(base: Template) -> None:
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda loader, suffix, node: suffix)
    assert set(yaml.load(template_text(base), Loader)["Resources"]) >= {"Addon"}


def test_only_templates_are_taken() -> None:
    with pytest.raises(TypeError, match="template_of"):
        TemplateSnapshotExtension().serialize("text")
    with pytest.raises(TypeError, match="no exclude"):
        TemplateSnapshotExtension().serialize({"Resources": {}}, exclude=lambda **_: True)


def test_a_matcher_replaces_a_value() -> None:
    data = {"Resources": {"R": {"Type": "T", "Properties": {"Stamp": "now", "Name": "now"}}}}
    text = TemplateSnapshotExtension().serialize(
        data, matcher=lambda *, data, path: "later" if path and path[-1][0] == "Stamp" else data
    )
    assert ("Stamp: later" in text, "Name: now" in text) == (True, True)


def test_a_stack_without_an_app_has_a_template() -> None:
    made = Stack()
    sqs.Queue(made, "Queue")
    assert "AWS::SQS::Queue" in template_text(template_of(made))


def test_template_of_several_stacks_synthesizes_once(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    first, second = Stack(app, "First"), Stack(app, "Second")
    sqs.Queue(first, "Queue")
    sqs.Queue(second, "Queue", fifo=True)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} or None
    assert written is None
    template_of(first)
    times = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    template_of(second)
    template_of(first)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times


def test_the_lines_a_user_adds_do_their_work(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    base: Template,
    synth: Callable[..., Template],
) -> None:
    monkeypatch.setenv("TEMPLATE", "template.json")
    pytester.makepyfile(TEST_FILE)

    def run(template: Template, *options: str) -> pytest.RunResult:
        (pytester.path / "template.json").write_text(json.dumps(template))
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)

    run(base).assert_outcomes(failed=1)  # no snapshot yet
    run(base, "--snapshot-update").assert_outcomes(passed=1)
    (written,) = (pytester.path / "__snapshots__").rglob("*.yaml")
    assert written.read_text() == template_text(base)
    run(synth(code="2")).assert_outcomes(passed=1)
    changed = run(synth(timeout="b"))
    changed.assert_outcomes(failed=1)
    assert "NAME: b" in changed.stdout.str()
    run(synth(queue=False)).assert_outcomes(failed=1)


def test_without_the_extra_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['syrupy'] = None; import cdk_emr_eks.testing"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "pip install 'cdk-emr-eks[testing]'" in result.stderr
