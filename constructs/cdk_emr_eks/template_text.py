"""Write a CloudFormation template as YAML to read and to compare line by line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import yaml

from cdk_emr_eks.assembly.expressions import (
    Expression,
    GetAtt,
    Join,
    ListOf,
    Literal,
    Sub,
    function_call,
    parse,
)
from cdk_emr_eks.assembly.paths import mapping
from cdk_emr_eks.assembly.text_view import TextView

_ASSET_HASH: Final = re.compile(r"(?<!sha256:)(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_ASSET_PARAMETER: Final = re.compile(r"(AssetParameters)([0-9a-f]{64})")
# The id of a function's current version ends with a hash of the function, its code included.
_VERSION_ID: Final = re.compile(r"(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}")
_CDK_METADATA: Final = "AWS::CDK::Metadata"
_OWN_METADATA: Final = ("aws:cdk:", "aws:asset:")
_CDK_PARTS: Final = {
    "Parameters": ("BootstrapVersion",),
    "Rules": ("CheckBootstrapVersion",),
    "Conditions": ("CDKMetadataAvailable",),
}
_FIRST: Final = ("Type", "apiVersion", "kind")
_STATEMENT: Final = frozenset({"Effect", "Action", "NotAction"})
_UNORDERED: Final = frozenset({"Action", "NotAction", "Resource", "NotResource"})


class _JsonText:
    """A text that holds JSON, with its content."""

    def __init__(self, content: object) -> None:
        self.content = content


class _Call:
    """An intrinsic function in YAML's short form."""

    def __init__(self, name: str, argument: object) -> None:
        self.name = name
        self.argument = argument


def template_text(template: Mapping[str, object], *, keep_paths: bool = False) -> str:
    """Write a template without the parts that can change although the deployment does not.

    Args:
        template: The template.
        keep_paths: Keep ``aws:cdk:path`` in the metadata of resources.
    """
    reader = _Reader(template)
    kept = _without_cdk(template, keep_paths=keep_paths)
    return yaml.dump(
        reader.read(kept), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000
    )


class _Reader:
    """Turns the values of a template into the values that are written."""

    def __init__(self, template: Mapping[str, object]) -> None:
        # Without the template, zones of subnets stay attributes.
        self._view = TextView({})
        # Parameters of old asset bundles have the hash in their name, so they are numbered.
        names = _ASSET_PARAMETER.findall(json.dumps(template))
        self._bundles = {hash_: str(n) for n, (_, hash_) in enumerate(dict.fromkeys(names), 1)}

    def read(self, value: object) -> object:
        function = function_call(value)
        if function is not None:
            return self._call(parse(value), *function)
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, list):
            items = [self.read(item) for item in value]
            return _sorted(items) if _is_tags(value) else items
        return self._text(value) if isinstance(value, str) else value

    def _mapping(self, value: Mapping[str, object]) -> dict[str, object]:
        read = {self._clean(str(key)): self.read(value[key]) for key in sorted(value, key=_rank)}
        unordered = set(_UNORDERED) if set(value) & _STATEMENT else set()
        for key in unordered | {"DependsOn"}:
            items = read.get(key)
            if isinstance(items, list):
                read[key] = _sorted(items)
        return read

    def _call(self, expression: Expression, name: str, argument: object) -> object:
        short = name.removeprefix("Fn::")
        match expression:
            case Join(Literal(""), ListOf(parts)):
                text = "".join(self._clean(self._joined(part)) for part in parts)
                parsed = _json(text)
                return _JsonText(self.read(parsed)) if parsed is not None else _Call("Sub", text)
            case GetAtt(resource, Literal(attribute)):
                return _Call(short, self._clean(f"{resource}.{attribute}"))
            case Sub(_, source, variables) if not variables:
                return _Call(short, self._clean(source))
        return _Call(short, self.read(argument))

    def _joined(self, part: Expression) -> str:
        """Write a joined part as ``Fn::Sub`` has it; a literal ``${`` becomes ``${!``."""
        if isinstance(part, Literal) and isinstance(part.value, str):
            return part.value.replace("${", "${!")
        return self._view.text_of(part)

    def _text(self, value: str) -> object:
        parsed = _json(value)
        return self._clean(value) if parsed is None else _JsonText(self.read(parsed))

    def _clean(self, text: str) -> str:
        text = _ASSET_PARAMETER.sub(lambda found: found[1] + self._bundles[found[2]], text)
        return _VERSION_ID.sub(r"\1", _ASSET_HASH.sub("<asset>", text))


def _without_cdk(template: Mapping[str, object], *, keep_paths: bool) -> dict[str, object]:
    """Leave out the parts that the CDK adds for itself."""
    kept: dict[str, object] = {}
    for section, content in template.items():
        hidden = _CDK_PARTS.get(section, ())
        items: object = content
        if isinstance(content, Mapping):
            items = {key: item for key, item in content.items() if key not in hidden}
        if section == "Resources":
            items = {
                key: _without_metadata(mapping(item), keep_paths=keep_paths)
                for key, item in mapping(content).items()
                if mapping(item).get("Type") != _CDK_METADATA
            }
        if items or section not in _CDK_PARTS:
            kept[section] = items
    return kept


def _without_metadata(resource: Mapping[str, object], *, keep_paths: bool) -> dict[str, object]:
    kept = {
        key: value
        for key, value in mapping(resource.get("Metadata")).items()
        if not key.startswith(_OWN_METADATA) or (keep_paths and key == "aws:cdk:path")
    }
    rest = {key: value for key, value in resource.items() if key != "Metadata"}
    return {**rest, "Metadata": kept} if kept else rest


def _json(text: str) -> object:
    """Return the content of a text if it is a JSON object or list, else None."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    content: object = None
    with suppress(ValueError):
        content = json.loads(text)
    return content


def _rank(key: str) -> tuple[int, str]:
    """Return the key to sort by: type and kind first, then the name."""
    return (_FIRST.index(key) if key in _FIRST else len(_FIRST), key)


def _is_tags(items: list[object]) -> bool:
    return bool(items) and all(set(mapping(item)) == {"Key", "Value"} for item in items)


def _sorted(items: list[object]) -> list[object]:
    return sorted(items, key=lambda item: yaml.dump(item, Dumper=_Dumper, sort_keys=False))


class _Dumper(yaml.SafeDumper):
    """YAML with CloudFormation's short forms, lists indented, and no anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 (PyYAML's signature)
        return True

    def increase_indent(
        self,
        flow: bool = False,
        indentless: bool = False,  # noqa: ARG002 (PyYAML's signature; lists are always indented)
    ) -> None:
        super().increase_indent(flow, indentless=False)


def _represent(dumper: _Dumper, tag: str, value: object) -> yaml.Node:
    if isinstance(value, Mapping):
        return dumper.represent_mapping(tag, value)
    if isinstance(value, list):
        return dumper.represent_sequence(tag, value)
    return dumper.represent_scalar(tag, value if isinstance(value, str) else json.dumps(value))


def _represent_text(dumper: _Dumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(_JsonText, lambda dumper, it: _represent(dumper, "!Json", it.content))
_Dumper.add_representer(_Call, lambda dumper, it: _represent(dumper, f"!{it.name}", it.argument))
_Dumper.add_representer(str, _represent_text)
