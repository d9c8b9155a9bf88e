"""Write grants as policy documents that fit IAM's size limit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, cast

from cdk_emr_eks.errors import refuse
from cdk_emr_eks.security.iam_statements import MAX_POLICY_CHARACTERS

# A statement with more ARNs than this has patterns for what they begin with.
_MAX_ARNS: Final = 12
_WORD: Final = re.compile(r"[^-/_.:]*[-/_.:]|[^-/_.:]+$")

Document = dict[str, object]
Statement = dict[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class ArnGrant:
    """A grant with its ARNs filled in.

    Args:
        actions: IAM actions, sorted.
        arns: ARNs or patterns of ARNs.
        condition: IAM condition.
    """

    actions: tuple[str, ...]
    arns: tuple[str, ...]
    condition: Mapping[str, object] = field(default_factory=dict)


def write_documents(grants: Iterable[ArnGrant]) -> tuple[Document, ...]:
    """Return policy documents with the grants, each within IAM's limit."""
    return _split(_join(_merge(grants)))


def narrow(arns: Iterable[str]) -> tuple[str, ...]:
    """Return the ARNs that no other one covers; for many, patterns of the words they begin with."""
    kept = _uncovered(arns)
    return kept if len(kept) <= _MAX_ARNS else _uncovered(_shared(kept))


def _uncovered(arns: Iterable[str]) -> tuple[str, ...]:
    unique = sorted(set(arns))
    return tuple(
        arn for arn in unique if not any(_covers(other, arn) for other in unique if other != arn)
    )


def _shared(arns: Sequence[str]) -> Iterator[str]:
    """Yield patterns for many ARNs: the words that names begin with, as many as fit."""
    heads: dict[str, list[list[str]]] = {}
    for arn in arns:
        *parts, name = arn.split(":", 5)
        heads.setdefault(":".join(parts), []).append(_WORD.findall(name))
    limit = max(1, _MAX_ARNS // len(heads))
    for head, names in heads.items():
        longest = max(len(words) for words in names)
        for count in range(longest, -1, -1):
            groups: dict[str, list[list[str]]] = {}
            for words in names:
                groups.setdefault("".join(words[:count]), []).append(words)
            if len(groups) <= limit:
                for start, group in groups.items():
                    whole = len(group) == 1 and len(group[0]) <= count
                    yield f"{head}:{start}" if whole else f"{head}:{start}*"
                break


def _covers(pattern: str, arn: str) -> bool:
    # IAM compares part by part: a wildcard ends at the colons before the resource's name.
    parts = zip(pattern.split(":", 5), arn.split(":", 5), strict=False)
    return all(fnmatchcase(one, other) for other, one in parts)


def _merge(grants: Iterable[ArnGrant]) -> Iterator[ArnGrant]:
    """Yield one grant for all with the same actions and condition, if it has ARNs."""
    arns: dict[str, set[str]] = {}
    merged: dict[str, ArnGrant] = {}
    for grant in grants:
        key = json.dumps([grant.actions, grant.condition])
        merged[key] = grant
        arns.setdefault(key, set()).update(grant.arns)
    for key, grant in merged.items():
        if arns[key]:
            yield ArnGrant(actions=grant.actions, arns=narrow(arns[key]), condition=grant.condition)


def _join(grants: Iterable[ArnGrant]) -> list[Statement]:
    """Return one statement for all grants with the same ARNs and condition, sorted."""
    joined: dict[str, Statement] = {}
    for grant in grants:
        key = json.dumps([grant.arns, grant.condition])
        actions = {*grant.actions, *cast(list[str], joined.get(key, {}).get("Action", []))}
        joined[key] = {
            "Effect": "Allow",
            "Action": sorted(actions),
            "Resource": list(grant.arns),
            **({"Condition": dict(grant.condition)} if grant.condition else {}),
        }
    return sorted(joined.values(), key=json.dumps)


def _split(statements: Iterable[Statement]) -> tuple[Document, ...]:
    """Fill documents up to the size of a managed policy."""
    documents: list[list[Statement]] = [[]]
    for statement in statements:
        for part in _parts(statement):
            if _size([*documents[-1], part]) > MAX_POLICY_CHARACTERS:
                documents.append([])
            documents[-1].append(part)
    return tuple(_document(content) for content in documents)


def _parts(statement: Statement) -> Iterator[Statement]:
    """Yield a statement, or statements with parts of its actions if it is too large."""
    actions = cast(list[str], statement["Action"])
    if _size([statement]) <= MAX_POLICY_CHARACTERS:
        yield statement
    elif len(actions) == 1:
        rule = f"must fit {MAX_POLICY_CHARACTERS} characters in one statement"
        raise refuse("Deploy policy", "statement", rule, actions[0])
    else:
        half = len(actions) // 2
        yield from _parts({**statement, "Action": actions[:half]})
        yield from _parts({**statement, "Action": actions[half:]})


def _document(statements: list[Statement]) -> Document:
    return {"Version": "2012-10-17", "Statement": statements}


def _size(statements: list[Statement]) -> int:
    return len(json.dumps(_document(statements), separators=(",", ":")))
