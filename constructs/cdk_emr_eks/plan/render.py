"""Print a plan as tables. They fit 80 columns; a wider terminal has fewer line breaks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Literal, TypeVar

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cdk_emr_eks.plan.model import ClusterPlan, Plan, PoolPlan, TenantPlan
from cdk_emr_eks.plan.reader import (
    MAX_RESOURCES,
    MAX_TEMPLATE_BYTES,
    NEAR_RESOURCES,
    NEAR_TEMPLATE_BYTES,
)

_T = TypeVar("_T")
_ZONE = re.compile(r"(?P<stem>.*?)(?P<last>[a-z]|\d+)")


def print_plan(plan: Plan, console: Console) -> None:
    """Print a plan: stacks, clusters with their pools and tenants, studios, warnings.

    A plan of one cluster has no heading for the cluster.
    """
    _print_section("Stacks", _stacks(plan), console)
    if len(plan.clusters) > 1:
        for cluster in plan.clusters:
            console.print(Text(_cluster_title(cluster), style="bold reverse"))
            console.print()
            _print_cluster(plan.of_cluster(cluster.key), console)
        # What belongs to no cluster of the app, for example a separate network.
        _print_cluster(plan.without_clusters(), console)
    else:
        _print_cluster(replace(plan, endpoints=()), console)
    _print_section("Studios", _studios(plan), console)
    if len(plan.clusters) <= 1:
        _print_section("Managed endpoints", _endpoints(plan), console)
    _print_section("Warnings", _messages(plan), console)


def _print_cluster(plan: Plan, console: Console) -> None:
    _print_section("Versions", _components(plan), console)
    _print_section("Addresses for pods", _zones(plan), console)
    _print_section("Node pools", _pools(plan), console)
    _print_section("Instance types", _families(plan), console)
    _print_section("Executors on full nodes", _packing(plan), console)
    _print_section("Capacity buffers", _buffers(plan), console)
    _print_section("Tenants", _tenants(plan), console)
    _print_section("Managed endpoints", _endpoints(plan), console)


def _print_section(title: str, content: RenderableType | None, console: Console) -> None:
    if content is not None:
        console.print(section(title, content))


def _cluster_title(cluster: ClusterPlan) -> str:
    where = f"stack {cluster.stack}, {cluster.environment}" if cluster.stack else "existing"
    return f"Cluster {cluster.name} ({where})"


def section(title: str, content: RenderableType) -> RenderableType:
    """Return a part of the output: a title, and a table or lines below it."""
    return Group(Text(title, style="bold"), content, Text(""))


def table(columns: Iterable[str]) -> Table:
    """Return an empty table; a column whose name ends with ``>`` has numbers.

    Numbers never break. Text breaks if the column is too narrow, so that all of it is shown.
    """
    made = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        collapse_padding=True,
        header_style="dim",
    )
    for name in columns:
        number = name.endswith(">")
        justify: Literal["left", "right"] = "right" if number else "left"
        made.add_column(name.removesuffix(">"), justify=justify, no_wrap=number, overflow="fold")
    return made


def _stacks(plan: Plan) -> RenderableType:
    made = table(("Stack", "Resources>", "Template>", "Lambda>", "Kubernetes>", "IAM roles>"))
    for stack in plan.stacks:
        made.add_row(
            stack.name,
            _bar(stack.resources, NEAR_RESOURCES, MAX_RESOURCES, str(stack.resources)),
            _bar(
                stack.template_bytes,
                NEAR_TEMPLATE_BYTES,
                MAX_TEMPLATE_BYTES,
                f"{stack.template_bytes / 1000:,.0f} KB",
            ),
            str(stack.lambdas),
            str(stack.kubernetes_resources),
            str(stack.iam_roles),
        )
    note = f"of {MAX_RESOURCES} resources and {MAX_TEMPLATE_BYTES // 1000:,} KB a stack"
    return Group(made, Text(note, style="dim"))


def _bar(amount: int, near: int, limit: int, text: str) -> Text:
    style = "red" if amount > limit else "yellow" if amount > near else ""
    return Text(text, style=style)


def _components(plan: Plan) -> RenderableType | None:
    made = table(("", "Version", "Name"))
    for item in plan.components:
        made.add_row(item.kind, item.version, item.name)
    return made if plan.components else None


def _zones(plan: Plan) -> RenderableType | None:
    made = table(("Zone", "Pods>", "Full nodes>", "Addresses>", "Subnets"))
    for zone in plan.zones:
        made.add_row(
            zone.zone,
            f"{zone.pods:,}",
            f"{zone.nodes:,}",
            f"{zone.addresses:,}",
            ", ".join(zone.subnets),
        )
    return made if plan.zones else None


def _pools(plan: Plan) -> RenderableType | None:
    """Show pools that differ only in the zone as one row."""
    stem, short = _short_zones(plan.pools)
    columns = ("Workload", "Role", "Capacity", "Arch", "Weight>", "Types>", "CPU>", "Memory>", stem)
    made = table(columns)
    for same in grouped(plan.pools, lambda pool: replace(pool, name="", zones=(), stack="")):
        pool = same[0]
        made.add_row(
            pool.workload or pool.name,
            pool.role or "any",
            _words(pool.capacity_types, "any"),
            _words(pool.architectures, "any"),
            str(pool.weight),
            "?" if pool.instance_types is None else str(pool.instance_types),
            pool.limits.get("cpu", "none"),
            pool.limits.get("memory", "none"),
            " ".join(short[zone] for each in same for zone in each.zones) or "all",
        )
    note = f"{len(plan.pools)} pools; CPU and memory limit one pool, not the row"
    return Group(made, Text(note, style="dim")) if plan.pools else None


def _families(plan: Plan) -> RenderableType | None:
    made = table(("Workload", "Role", "Sizes", "Families"))

    def key(pool: PoolPlan) -> object:
        return pool.workload or pool.name, pool.role, pool.families, pool.sizes

    for same in grouped(plan.pools, key):
        pool = same[0]
        made.add_row(
            pool.workload or pool.name,
            pool.role or "any",
            _words(pool.sizes, "any"),
            _words(pool.families, "any"),
        )
    return made if plan.pools else None


def _packing(plan: Plan) -> RenderableType | None:
    made = table(("Workload", "CPU>", "Memory>", "Least>", "Cores requested, by size"))
    for item in plan.packing:
        by_size: dict[str, list[tuple[int, float]]] = {}
        for name, found in item.by_size.items():
            by_size.setdefault(name.partition(".")[2], []).append(found)
        made.add_row(
            item.workload,
            item.cpu,
            item.memory,
            f"{min(share for _, share in item.by_size.values()):.1%}",
            ", ".join(_size_text(size, found) for size, found in by_size.items()),
        )
    return made if plan.packing else None


def _size_text(size: str, found: list[tuple[int, float]]) -> str:
    pods = "-".join(str(count) for count in sorted({count for count, _ in found}))
    return f"{size} {pods} pods {min(share for _, share in found):.1%}"


def _buffers(plan: Plan) -> RenderableType | None:
    """Show capacity buffers that differ only in the zone as one row."""
    made = table(
        ("Workload", "Role", "Replicas>", "CPU>", "Memory>", "Nodes that hold it", "Zones")
    )
    for same in grouped(plan.capacity_buffers, lambda item: replace(item, zone="", stack="")):
        item = same[0]
        counts: dict[str, set[int]] = {}
        for name, count in item.nodes.items():
            counts.setdefault(name.partition(".")[2], set()).add(count)
        nodes = [f"{'-'.join(map(str, sorted(all_)))} {size}" for size, all_ in counts.items()]
        made.add_row(
            item.workload,
            item.role,
            str(item.replicas),
            item.cpu,
            item.memory,
            " or ".join(nodes) or "?",
            " ".join(each.zone for each in same),
        )
    note = "in each zone, all the time; Karpenter launches the cheapest nodes that hold it"
    return Group(made, Text(note, style="dim")) if plan.capacity_buffers else None


def _tenants(plan: Plan) -> RenderableType | None:
    made = table(("Tenant", "Namespace", "Quota", "Virtual cluster, execution roles"))
    for tenant in plan.tenants:
        made.add_row(tenant.name, tenant.namespace, _quota(tenant.quota), _access(tenant))
    return made if plan.tenants else None


def _quota(hard: Mapping[str, str]) -> str:
    short = {"requests.cpu": "cpu", "requests.memory": "memory"}
    return "\n".join(f"{short.get(key, key)} {value}" for key, value in hard.items()) or "none"


def _access(tenant: TenantPlan) -> str:
    lines = [f"{name} (virtual cluster)" for name in tenant.virtual_clusters]
    lines += [f"{role.name} ({role.access})" for role in tenant.roles]
    return "\n".join(lines) or "none"


def _studios(plan: Plan) -> RenderableType | None:
    made = table(("Studio", "Sign-in", "Members"))
    for studio in plan.studios:
        made.add_row(studio.name, studio.sign_in, ", ".join(studio.members) or "by IAM policy")
    return made if plan.studios else None


def _endpoints(plan: Plan) -> RenderableType | None:
    made = table(("Endpoint", "For", "Virtual cluster", "Execution role", "Opened by"))
    for item in plan.endpoints:
        opened = ", ".join(item.opened_by) or "no principal of this app"
        made.add_row(item.name, item.type, item.virtual_cluster or "?", item.role, opened)
    return made if plan.endpoints else None


def _messages(plan: Plan) -> RenderableType:
    if not plan.messages:
        return Text("none", style="green")
    lines: list[RenderableType] = []
    for same in grouped(plan.messages, lambda message: (message.level, message.text)):
        style = "red" if same[0].level == "error" else "yellow"
        places = ", ".join(message.where for message in same)
        lines += [
            Text.assemble((f"{same[0].level}: ", style), same[0].text),
            Padding(Text(places, style="dim"), (0, 0, 0, 4), expand=False),
        ]
    return Group(*lines)


def grouped(items: Iterable[_T], key: Callable[[_T], object]) -> list[list[_T]]:
    """Group items by key, in the order in which the keys first appear."""
    found: list[tuple[object, list[_T]]] = []
    for item in items:
        name = key(item)
        for known, members in found:
            if known == name:
                members.append(item)
                break
        else:
            found.append((name, [item]))
    return [members for _, members in found]


def _short_zones(pools: tuple[PoolPlan, ...]) -> tuple[str, Mapping[str, str]]:
    """Return a heading and a short name for each zone: ``us-east-1`` over ``a b c``."""
    zones = list(dict.fromkeys(zone for pool in pools for zone in pool.zones))
    matches = [_ZONE.fullmatch(zone) for zone in zones]
    stems = {match["stem"] if match else "" for match in matches}
    if len(stems) == 1 and "" not in stems:
        stem = stems.pop()
        return stem.rstrip("-"), {zone: zone.removeprefix(stem) for zone in zones}
    return "Zones", {zone: zone for zone in zones}


def _words(values: tuple[str, ...], otherwise: str) -> str:
    return " ".join(values) or otherwise
