"""Holds the tree to its shape: rings, sizes, names, signatures, and options that are used."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests import architecture
from tests.architecture import Measure, Module

ROOT: Final = Path(__file__).parent.parent
PACKAGE: Final = "cdk_emr_eks"

# Innermost first; a module imports from its own ring and from those above it in this table.
RINGS: Final = (
    (
        "ground",
        frozenset(
            {"errors", "units", "field_types", "labels", "names", "releases", "tokens", "versions"}
            | {"checks", "lazy_exports", "values"}
        ),
    ),
    # Reads cloud assemblies; pure, so that every tool can use it.
    ("assembly", frozenset({"assembly"})),
    ("model", frozenset({"model"})),
    ("security", frozenset({"security"})),
    ("networks", frozenset({"networks"})),
    ("clusters", frozenset({"clusters"})),
    ("addons", frozenset({"addons"})),
    ("nodes", frozenset({"nodes"})),
    ("pods and admission", frozenset({"admission", "pods"})),
    ("tenants", frozenset({"tenants"})),
    ("jobs and notebooks", frozenset({"ephemeral", "images", "jobs", "notebooks"})),
    ("observability and cost", frozenset({"observability", "cost"})),
    ("platform", frozenset({"platforms"})),
    ("stacks", frozenset({"stacks"})),
    # Readers of what the others made.
    (
        "tools",
        frozenset(
            {
                "plan",
                "diff",
                "template_text",
                "testing",
                "simulation",
                "cli",
                "synth",
                "deploy_policy",
            }
        ),
    ),
)
# Values that constructs of several domains use, so no construct has their name.
VALUES_ONLY: Final = {"access", "instances", "namespaces", "workloads"}
# What is installed on a cluster, what secures resources, and what wires the domains together.
CONSTRUCTS_ONLY: Final = {"addons", "platforms", "security", "stacks"}
# What must run without Node. `testing` takes stacks, so it is not in the list.
PURE: Final = frozenset(
    {"errors", "units", "field_types", "labels", "names", "releases", "tokens", "versions"}
    | {"checks", "values", "lazy_exports", "model"}
    | {"assembly", "cli", "deploy_policy", "diff", "plan", "simulation", "synth", "template_text"}
)

# All other rules have the limit 0.
LIMITS: Final = {
    "lines of a file": 500,
    "lines of a test file": 600,
    "lines of a function": 60,
    "arguments of a function": 10,
    "public methods of a class": 12,
    "public attributes of a class": 12,
    "folders deep": 4,
    "modules of a folder": 15,
}


@dataclass(frozen=True)
class Raised:
    """A limit that one subject may reach, and why."""

    to: int
    reason: str


_ONE_ROW: Final = "a row of the report: each figure of it is a field"
_ONE_VALUE: Final = "all that must agree is derived from this one value, so it has all of it"
# By rule and subject. An entry that is no longer needed fails the test, as does a loose one.
RAISED: Final[dict[tuple[str, str], Raised]] = {
    ("public methods of a class", "cdk_emr_eks.checks:Check"): Raised(
        21, "one method for each kind of rule, so that rules read as words"
    ),
    ("public attributes of a class", "cdk_emr_eks.simulation.jobs.record:JobRecord"): Raised(
        15, _ONE_ROW
    ),
    ("public attributes of a class", "cdk_emr_eks.simulation.report.results:JobResult"): Raised(
        18, _ONE_ROW
    ),
    ("public attributes of a class", "cdk_emr_eks.simulation.report.results:Results"): Raised(
        16, _ONE_ROW
    ),
    ("public attributes of a class", "cdk_emr_eks.model.workloads.workload:Workload"): Raised(
        23, _ONE_VALUE
    ),
    ("public attributes of a class", "cdk_emr_eks.plan.model:PoolPlan"): Raised(13, _ONE_ROW),
    ("public attributes of a class", "cdk_emr_eks.model.nodes.node_pool:NodePool"): Raised(
        14, _ONE_VALUE
    ),
    ("public attributes of a class", "cdk_emr_eks.model.tenants.tenant:Tenant"): Raised(
        25, _ONE_VALUE
    ),
}


def over(measures: Iterator[Measure], raised: dict[tuple[str, str], Raised]) -> list[str]:
    """What is over its limit, and what was raised further than is needed."""
    found: list[str] = []
    left = dict(raised)
    for measure in sorted(measures, key=lambda each: (each.rule, each.subject)):
        limit = LIMITS.get(measure.rule, 0)
        exception = left.pop((measure.rule, measure.subject), None)
        text = f"{measure.rule}: {measure.subject}"
        if exception is None and measure.amount > limit:
            found.append(text + (f" has {measure.amount}, at most {limit}" if limit else ""))
        elif exception is not None and not limit < measure.amount <= exception.to:
            found.append(f"{text} has {measure.amount}, raised to {exception.to}: mend the table")
    found.extend(f"{rule}: {subject} is raised but not there" for rule, subject in left)
    return found


def library() -> tuple[Module, ...]:
    return architecture.modules(ROOT / "constructs" / PACKAGE, PACKAGE)


def others() -> Iterator[Module]:
    """Everything that is not the library: apps, stacks, examples, benchmarks and tests."""
    for folder in ("stacks", "examples", "benchmarks", "tests"):
        yield from architecture.modules(ROOT / folder, folder)


def unit_tests(modules: tuple[Module, ...]) -> Iterator[Module]:
    """Yield the modules that ``make unit`` runs: all of tests/unit, and most golden tests."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (left_out,) = re.findall(r"^UNIT_TESTS := tests/unit \$\(filter-out (.*?),", makefile, re.M)
    for module in modules:
        is_golden = module.name.startswith("tests.golden.test_")
        named = f"%/{module.path.name}" in left_out.split()
        if module.name.startswith("tests.unit.") or (is_golden and not named):
            yield module


def measured() -> Iterator[Measure]:
    tree = library()
    outside = tuple(others())
    yield from architecture.inward(tree, RINGS)
    yield from architecture.pure(tree, PURE)
    yield from architecture.cycles(tree)
    yield from architecture.circles(tree)
    shared = frozenset({"controllers", "protocol"})
    yield from architecture.sideways(tree, f"{PACKAGE}.addons", shared)
    # Constructs never know the platform that they are part of; ready stacks are built from it.
    for face in ("emr_eks_cluster", "imported_cluster"):
        yield from architecture.importers(
            tree,
            f"{PACKAGE}.platforms.{face}",
            frozenset({f"{PACKAGE}.stacks"}),
            "platform imported from inside",
        )
    # The simulation is a separate product: the rest of the library must work without it.
    yield from architecture.importers(
        tree,
        f"{PACKAGE}.simulation",
        frozenset({f"{PACKAGE}.cli", f"{PACKAGE}.testing"}),
        "simulation imported by another part",
    )
    yield from architecture.reaching((*tree, *outside), tuple(unit_tests(outside)))
    yield from architecture.names((*tree, *outside))
    yield from architecture.twins(tree)
    yield from architecture.inits((*tree, *outside))
    yield from architecture.explanations((*tree, *outside))
    yield from architecture.signatures(tree)
    yield from architecture.callbacks(tree)
    yield from architecture.docstrings(tree)
    apps = (module for module in outside if not module.name.startswith("tests."))
    yield from architecture.unread(tree, apps)
    yield from architecture.sizes(tree)
    yield from architecture.folders(tree)
    yield from architecture.members(tree)
    for measure in architecture.sizes(outside):
        is_test = measure.subject.startswith("tests.") and measure.rule == "lines of a file"
        rule = "lines of a test file" if is_test else measure.rule
        yield Measure(rule, measure.subject, measure.amount)


def test_the_tree_keeps_its_shape() -> None:
    if found := over(measured(), RAISED):
        pytest.fail("\n".join(found), pytrace=False)


def test_values_and_constructs_of_a_domain_have_one_name() -> None:
    """A folder of one ring has its counterpart in the other."""
    library_folder = ROOT / "constructs" / PACKAGE
    values = {path.parent.name for path in library_folder.glob("model/*/__init__.py")}
    found = {path.parent.name for path in library_folder.glob("*/__init__.py")}
    tools = dict(RINGS)["tools"] | {"assembly", "model"}
    assert values - found == VALUES_ONLY
    assert found - values - tools == CONSTRUCTS_ONLY


def test_every_raised_limit_has_a_reason() -> None:
    assert [key for key, raised in RAISED.items() if len(raised.reason) < 20] == []


# ---- the same measures on trees that are bad

Check = Callable[[tuple[Module, ...]], Iterator[Measure]]
TOY_RINGS: Final = (
    ("in", frozenset({"core", "lazy", "spec", "unit"})),
    ("out", frozenset({"shell", "addons"})),
)


def inward(tree: tuple[Module, ...]) -> Iterator[Measure]:
    return architecture.inward(tree, TOY_RINGS)


def pure(tree: tuple[Module, ...]) -> Iterator[Measure]:
    return architecture.pure(tree, frozenset({"spec"}))


def sideways(tree: tuple[Module, ...]) -> Iterator[Measure]:
    return architecture.sideways(tree, "lib.addons", frozenset({"protocol"}))


def platform(tree: tuple[Module, ...]) -> Iterator[Measure]:
    allowed = frozenset({"lib.shell"})
    return architecture.importers(tree, "lib.platform", allowed, "platform imported from inside")


def reaching(tree: tuple[Module, ...]) -> Iterator[Measure]:
    return architecture.reaching(tree, [each for each in tree if each.name == "lib.unit"])


CLASS_OF_13: Final = "class A:\n" + "".join(f"    def m{n}(self): ...\n" for n in range(13))
WRITES: Final = "class A:\n    def __init__(self):\n"
DATA: Final = "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass A:\n    x: int\n"

BAD: Final[tuple[tuple[str, Check, dict[str, str], str], ...]] = (
    (
        "outward",
        inward,
        {"core": "from lib.shell import run", "shell": ""},
        "import points outward: lib.core -> lib.shell",
    ),
    (
        "outward, relative",
        inward,
        {"spec/a": "from .. import shell", "shell": ""},
        "import points outward: lib.spec.a -> lib.shell",
    ),
    (
        "outward, inside a function",
        inward,
        {"core": "def f():\n    import lib.shell", "shell": ""},
        "import points outward: lib.core -> lib.shell",
    ),
    ("no ring", inward, {"new": ""}, "module in no ring: lib.new"),
    (
        "Node in spec",
        pure,
        {"spec/a": "from aws_cdk import aws_ec2"},
        "pure module needs Node: lib.spec.a -> aws_cdk",
    ),
    (
        "cycle",
        architecture.cycles,
        {"a": "import lib.b", "b": "from lib import a"},
        "imports form a cycle: lib.",
    ),
    (
        "circle of folders",
        architecture.circles,
        {"a/x": "import lib.b.y", "a/z": "", "b/y": "", "b/w": "import lib.a.z"},
        "folders form a circle in lib: ",
    ),
    (
        "sideways",
        sideways,
        {"addons/a": "from .b import B", "addons/b": "", "addons/protocol": ""},
        "add-on imports another: lib.addons.a -> lib.addons.b",
    ),
    (
        "platform",
        platform,
        {"tenant": "from lib.platform import P", "platform": ""},
        "platform imported from inside: lib.tenant -> lib.platform",
    ),
    (
        "part of the platform",
        platform,
        {"tenant": "import lib.platform.a", "platform/__init__": "", "platform/a": ""},
        "platform imported from inside: lib.tenant -> lib.platform.a",
    ),
    (
        "Node in a unit test, through another module",
        reaching,
        {"unit": "from lib.core import x", "core": "import lib.shell", "shell": "import jsii"},
        "unit test needs Node: lib.unit -> lib.shell",
    ),
    (
        "string below a constant",
        architecture.explanations,
        {"a": 'LIMIT = 3\n"""Rows of a page."""\n'},
        "explained below, not above: lib.a:LIMIT",
    ),
    (
        "comment below a constant",
        architecture.explanations,
        {"a": "LIMIT = {\n    3: 1,\n}\n# Rows of a page.\n\nOTHER = 1\n"},
        "explained below, not above: lib.a:LIMIT",
    ),
    ("vague", architecture.names, {"addons/utils": ""}, "vague name: lib.addons.utils"),
    (
        "twins",
        architecture.twins,
        {"a": "class Stage: ...", "b": "class Stage: ...\nclass _Own: ...", "c": "class _Own: ..."},
        "one name, several classes: Stage: lib.a, lib.b",
    ),
    (
        "init",
        architecture.inits,
        {"a/__init__": "def f(): ..."},
        "logic in __init__: lib.a",
    ),
    (
        "Any",
        architecture.signatures,
        {"a": "def f(x: dict[str, Any]): ..."},
        "Any in a public signature: lib.a:f",
    ),
    (
        "Any in a field",
        architecture.signatures,
        {"a": "class A:\n    x: typing.Any"},
        "Any in a public signature: lib.a:A.x",
    ),
    (
        "context that calls back",
        architecture.callbacks,
        {"a": "class TenantContext:\n    oidc: Callable[[], str] | None = None"},
        "context holds a function: lib.a:TenantContext.oidc",
    ),
    (
        "kwargs",
        architecture.signatures,
        {"a": "class A:\n    def __init__(self, **more: str): ..."},
        "**kwargs in a public signature: lib.a:A.__init__",
    ),
    (
        "undocumented",
        architecture.docstrings,
        {
            "__init__": '"""Lib."""',
            "a": '"""A."""\nclass A:\n    """A."""\n    def run(self): ...',
        },
        "no docstring: lib.a:A.run",
    ),
    ("unread", architecture.unread, {"a": DATA}, "field that nothing reads: lib.a:A.x"),
    (
        "only checked",
        architecture.unread,
        {"a": f"{DATA}    def __post_init__(self):\n        print(self.x)"},
        "field that nothing reads: lib.a:A.x",
    ),
    (
        "a value's field that is only checked",
        architecture.unread,
        {"a": "@value\nclass A:\n    x: int\n    def _rules(self, check):\n        print(self.x)"},
        "field that nothing reads: lib.a:A.x",
    ),
    (
        "long file",
        architecture.sizes,
        {"a": "x = 1\n" * 501},
        "lines of a file: lib.a has 501, at most 500",
    ),
    (
        "long function",
        architecture.sizes,
        {"a": "def f():\n" + "    x = 1\n" * 60},
        "lines of a function: lib.a:f has 61, at most 60",
    ),
    (
        "many arguments",
        architecture.sizes,
        {"a": "class A:\n    def f(self, scope, id, *, a, b, c, d, e, f, g, h, i, j, k): ..."},
        "arguments of a function: lib.a:A.f has 11, at most 10",
    ),
    ("deep", architecture.sizes, {"a/b/c/d/e/f": ""}, "folders deep: lib.a.b.c.d.e.f has 5"),
    (
        "many modules",
        architecture.folders,
        {f"a/m{n}": "" for n in range(16)},
        "modules of a folder: lib.a has 16, at most 15",
    ),
    (
        "many methods",
        architecture.members,
        {"a": CLASS_OF_13},
        "public methods of a class: lib.a:A has 13, at most 12",
    ),
    (
        "many attributes",
        architecture.members,
        {"a": WRITES + "".join(f"        self.a{n} = 1\n" for n in range(13))},
        "public attributes of a class: lib.a:A has 13, at most 12",
    ),
)


def write(root: Path, files: dict[str, str]) -> tuple[Module, ...]:
    for name, text in {"__init__": "", **files}.items():
        path = root / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return architecture.modules(root, "lib")


@pytest.mark.parametrize(("check", "files", "said"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_bad_tree_is_found(
    tmp_path: Path, check: Check, files: dict[str, str], said: str
) -> None:
    (found,) = over(check(write(tmp_path, files)), {})
    assert found.startswith(said)


GOOD: Final = {
    "core": '"""Core."""\n# Rows of a page.\nLIMIT = 3\n# Columns of a page.\nWIDTH = 4\n',
    "lazy/__init__": '"""Lazy."""\nif TYPE_CHECKING:\n    from lib.shell import run\n',
    "unit": '"""Unit."""\nimport lib.core\nimport lib.lazy\n',
    "spec/a": '"""A."""\nfrom lib.core import x\n_private: object = None\n',
    "shell": '"""Shell."""\nfrom lib.spec.a import f\nfrom lib import core\nimport aws_cdk\n',
    "addons/a": '"""A."""\nfrom lib.addons.protocol import Addon\n',
    "addons/protocol": '"""P."""\n'
    + DATA.replace("class A:", 'class A:\n    """A."""')
    + "    def _f(self, **more: Any) -> int:\n        return self.x\n",
}


@pytest.mark.parametrize("check", list(dict.fromkeys(b[1] for b in BAD)))
def test_a_good_tree_passes(tmp_path: Path, check: Check) -> None:
    tree = write(tmp_path, {"__init__": '"""Lib."""\n', **GOOD})
    assert over(check(tree), {}) == []


def test_raised_limits_hold_only_where_they_are_needed() -> None:
    rule = "lines of a file"
    raised = {(rule, "a"): Raised(700, "a table"), (rule, "b"): Raised(700, "a table")}
    measures = (Measure(rule, "a", 650), Measure(rule, "b", 200))
    assert over(iter(measures), raised) == [f"{rule}: b has 200, raised to 700: mend the table"]
    assert over(iter(measures[:1]), raised) == [f"{rule}: b is raised but not there"]
    assert over(iter([Measure(rule, "a", 701)]), {(rule, "a"): Raised(700, "")}) != []
