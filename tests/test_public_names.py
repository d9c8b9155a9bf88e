"""Public names: editors complete them, Python imports them when they are first used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import cdk_emr_eks
from cdk_emr_eks.lazy_exports import exported, importer

FILE: Final = Path(cdk_emr_eks.__file__)
TREE: Final = ast.parse(FILE.read_text(encoding="utf-8"))
MODULES: Final = exported(str(FILE))

WITHOUT_NODE: Final = """
import sys
for name in ("aws_cdk", "cdk8s", "constructs", "jsii"):
    sys.modules[name] = None  # an import of it fails
import cdk_emr_eks
cdk_emr_eks.Workload, cdk_emr_eks.Tenant, cdk_emr_eks.DEFAULT_WORKLOADS
import cdk_emr_eks.cli
try:
    cdk_emr_eks.EmrEksCluster
except ImportError:
    print("only constructs need Node")
"""


def test_the_list_of_names_is_that_of_the_imports() -> None:
    (listed,) = (
        ast.literal_eval(node.value)
        for node in TREE.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    assert sorted(listed) == sorted(MODULES) == sorted(cdk_emr_eks.__all__)


def test_a_shell_completes_the_public_names() -> None:
    assert dir(cdk_emr_eks) == sorted(cdk_emr_eks.__all__)


def test_editors_find_every_name_by_reading_alone() -> None:
    """jedi and pyright follow imports below ``if TYPE_CHECKING``.

    A stub next to the file hides the package from jedi. A ``__getattr__`` that a type checker sees
    makes it accept every name.
    """
    assert not FILE.with_suffix(".pyi").exists()
    visible = [node for node in TREE.body if not isinstance(node, ast.If)]
    assert "__getattr__" not in "".join(map(ast.unparse, visible))
    for name, module in MODULES.items():
        assert name in _names(_tree(module)), name


def test_values_are_imported_from_where_they_are_defined() -> None:
    """A value that a construct's module imports too would start Node for nothing."""
    for name, module in MODULES.items():
        for node in _tree(module).body:
            if isinstance(node, ast.ImportFrom) and name in {each.name for each in node.names}:
                assert not (node.module or "").startswith("cdk_emr_eks.model."), name


def test_only_constructs_need_node() -> None:
    command = [sys.executable, "-c", WITHOUT_NODE]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "only constructs need Node\n"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'lib' has no attribute 'Clutser'"):
        importer("lib", {"Cluster": "lib.cluster"})("Clutser")


def test_the_version_is_that_of_the_distribution() -> None:
    project = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{cdk_emr_eks.__version__}"\n' in project


def _tree(module: str) -> ast.Module:
    path = FILE.parent.joinpath(*module.split(".")[1:])
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(source.read_text(encoding="utf-8"))


def _names(tree: ast.Module) -> set[str]:
    """Return what a module defines or imports at its top."""
    found: set[str] = set()
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                found.add(name)
            case ast.ImportFrom(names=names):
                found.update(alias.name for alias in names)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return found
