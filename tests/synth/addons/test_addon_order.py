"""Add-ons come in the order of what they require, whatever order they are given in."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from constructs import Construct, IDependable

from cdk_emr_eks.addons.protocol import AddonContext, install_order
from cdk_emr_eks.errors import ConfigError


@dataclass(frozen=True)
class Named:
    """An add-on that builds nothing."""

    name: str
    requires: tuple[str, ...] = ()

    def install(self, scope: Construct, context: AddonContext) -> IDependable:
        raise NotImplementedError


def test_requirements_come_first() -> None:
    order = install_order([Named("C", ("B",)), Named("B", ("A",)), Named("A")])
    assert [addon.name for addon in order] == ["A", "B", "C"]


def test_what_is_installed_already_counts() -> None:
    assert [a.name for a in install_order([Named("B", ("A",))], ["A"])] == ["B"]


@pytest.mark.parametrize(
    ("addons", "installed", "message"),
    [
        (
            [Named("A"), Named("A")],
            [],
            "Add-on 'A': name must be installed only once, got 'A'.",
        ),
        ([Named("A")], ["A"], "Add-on 'A': name must be installed only once, got 'A'."),
        (
            [Named("A", ("Karpentr",)), Named("Karpenter")],
            [],
            "Add-on 'A': requires must name installed add-ons (A, Karpenter), got 'Karpentr'.",
        ),
        (
            [Named("A", ("B",)), Named("B", ("A",))],
            [],
            "Add-ons: requires must not form a cycle, got 'A -> B -> A'.",
        ),
    ],
)
def test_bad_add_ons(addons: list[Named], installed: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        install_order(addons, installed)
    assert str(caught.value) == message
