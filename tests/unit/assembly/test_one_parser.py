"""CloudFormation's functions are parsed in one module."""

from __future__ import annotations

from pathlib import Path

import cdk_emr_eks

PACKAGE = Path(cdk_emr_eks.__file__).parent
OTHERS = {
    # Writes templates.
    "model/ephemeral/namespace_stack.py",
    # Writes the short form of YAML, with the parser's tree.
    "template_text.py",
    # Writes texts that must equal cdk-nag's.
    "security/suppressions.py",
}


def test_no_other_module_names_the_functions() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if '"Fn::' in path.read_text(encoding="utf-8")
    }
    assert {name for name in found if not name.startswith("assembly/")} == OTHERS
