"""Print the changes between two assemblies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from cdk_emr_eks.diff.change import CATEGORIES, Change, FieldChange, one_line
from cdk_emr_eks.plan.render import grouped

_SIGNS: Final = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}
_SERVICES: Final = {"EMRContainers": "EMR", "Logs": "CloudWatch Logs"}
# The first digits of an asset's hash show that it differs.
_DIGEST: Final = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{56}\b")


def print_diff(changes: tuple[Change, ...], console: Console) -> None:
    """Print the changes by category, each changed field with its old and its new value."""
    if not changes:
        console.print("Nothing changes.")
    stacks = {change.stack for change in changes if change.stack}
    for category in CATEGORIES:
        of_category = [change for change in changes if change.category == category]
        if of_category:
            console.print(Text(_plural(category, len(of_category)), style="bold"))
        # One value in code changes the pools of all zones alike: they are printed once.
        for same in grouped(of_category, _printed_together):
            _print_change(same, console, with_stack=len(stacks) > 1)
        if of_category:
            console.print()
    _print_summary(changes, console)


def _printed_together(change: Change) -> object:
    return change.action, change.stack, change.fields, change.replaced_by, change.effects


def _print_change(same: list[Change], console: Console, *, with_stack: bool) -> None:
    change = same[0]
    sign, style = _SIGNS[change.action]
    for each in same:
        line = Text.assemble((f"{sign} ", style), each.name)
        if with_stack and each.stack and each.category != "stack":
            line.append(f"  ({each.stack})", style="dim")
        _indented(line, 2, console)
    if change.replaced_by:
        text = f"replaced by CloudFormation, because of {', '.join(change.replaced_by)}"
        _indented(Text(text, style="bold red"), 6, console)
    if change.refused:
        by = _refusing(change.name)
        text = f"refused by {by}, because of {', '.join(change.refused)}"
        _indented(Text(text, style="bold red"), 6, console)
    for field in change.fields:
        _indented(_field(field), 6, console)
    for effect in change.effects:
        _indented(Text.assemble(("=> ", "bold"), effect), 6, console)


def _refusing(name: str) -> str:
    """Return who refuses a change of a resource or of a Kubernetes object."""
    if not name.startswith("AWS::"):
        return "Kubernetes"
    service = name.split("::")[1]
    return _SERVICES.get(service, service)


def _indented(text: Text, by: int, console: Console) -> None:
    console.print(Padding(text, (0, 0, 0, by), expand=False))


def _field(field: FieldChange) -> Text:
    old, new = field.old, field.new
    path = f"{field.path}: "
    if _is_object(old) or _is_object(new):
        # A whole object of Kubernetes would be a page of JSON; ``--json`` has it.
        sign, style = _SIGNS["removed" if new is None else "added" if old is None else "changed"]
        return Text.assemble(path, (f"{sign} whole object", style))
    if isinstance(old, list) and isinstance(new, list):
        gone = [_short(item) for item in old if item not in new]
        come = [_short(item) for item in new if item not in old]
        if gone or come:
            parts = [(f"-{item}", "red") for item in gone] + [
                (f"+{item}", "green") for item in come
            ]
            text = Text(path)
            for number, (part, style) in enumerate(parts):
                text.append(" " if number else "").append(part, style=style)
            return text
    return Text.assemble(path, (_short(old), "red"), " -> ", (_short(new), "green"))


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping) and {"apiVersion", "kind"} <= set(value)


def _short(value: object) -> str:
    return _DIGEST.sub(r"\1...", one_line(value))


def _print_summary(changes: tuple[Change, ...], console: Console) -> None:
    if changes:
        counts = [
            f"{sum(change.action == action for change in changes)} {action}" for action in _SIGNS
        ]
        replaced = sum(bool(change.replaced_by) for change in changes)
        counts.append(f"{replaced} known to be replaced")
        refused = sum(bool(change.refused) for change in changes)
        counts += [f"{refused} refused: the deployment would fail"] if refused else []
        console.print(Text(", ".join(counts), style="dim"))


def _plural(category: str, count: int) -> str:
    name = category[0].upper() + category[1:]
    return name if count == 1 or category == "IAM" else f"{name}s"
