"""The examples that public docstrings show run, and yield what they show."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path
from typing import Final

import aws_cdk
import pytest

import cdk_emr_eks
from tests.docs.blocks import ROOT

_LIBRARY: Final = ROOT / "constructs"
_MODULES: Final = tuple(
    sorted(
        path
        for path in (_LIBRARY / "cdk_emr_eks").rglob("*.py")
        if ">>> " in path.read_text(encoding="utf-8")
    )
)


def _name(path: Path) -> str:
    return ".".join(path.relative_to(_LIBRARY).with_suffix("").parts)


@pytest.mark.parametrize("path", _MODULES, ids=_name)
def test_examples_hold(path: Path) -> None:
    public = {name: getattr(cdk_emr_eks, name) for name in cdk_emr_eks.__all__}
    result = doctest.testmod(import_module(_name(path)), extraglobs={"aws_cdk": aws_cdk, **public})
    assert result.attempted
    assert not result.failed


def test_the_main_classes_have_examples() -> None:
    assert {"cdk_emr_eks.platforms.emr_eks_cluster", "cdk_emr_eks.model.workloads.workload"} <= set(
        map(_name, _MODULES)
    )
