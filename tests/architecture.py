"""The measures behind test_architecture.py: what a tree of modules has, rule by rule.

They read source with ``ast`` and import nothing of it, so that they can be tried on any tree.
Each yields ``Measure(rule, subject, amount)``; the limits are the test's.
"""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Final, TypeGuard

NEEDS_NODE: Final = frozenset({"aws_cdk", "cdk8s", "cdk8s_plus_27", "constructs", "jsii"})
VAGUE: Final = frozenset({"base", "common", "helper", "helpers", "misc", "util", "utils"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Measure:
    """How much of something a subject has: ``amount`` lines, arguments, forbidden imports."""

    rule: str
    subject: str
    amount: int = 1


@dataclass(frozen=True)
class Module:
    """One Python file below a root folder, with its dotted name."""

    name: str
    path: Path
    depth: int

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @cached_property
    def imports(self) -> frozenset[str]:
        """Every name imported anywhere in the file; ``from a import b`` is ``a.b``."""
        package = self.name if self.is_package else self.name.rpartition(".")[0]
        found: set[str] = set()
        # What a package lists for type checkers, it imports when a name is first used.
        body = [node for node in self.tree.body if not (self.is_package and _is_typing(node))]
        for node in (each for part in body for each in ast.walk(part)):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                up = package.split(".")[: len(package.split(".")) - node.level + 1]
                start = [*(up if node.level else []), *([node.module] if node.module else [])]
                found.update(".".join([*start, alias.name]) for alias in node.names)
        return frozenset(found)

    @cached_property
    def classes(self) -> tuple[ast.ClassDef, ...]:
        return tuple(node for node in self.tree.body if isinstance(node, ast.ClassDef))

    @cached_property
    def functions(self) -> tuple[tuple[str, Function], ...]:
        """Functions and methods, not those nested in others, with names as in ``Class.method``."""
        found = [(node.name, node) for node in self.tree.body if isinstance(node, Function)]
        for owner in self.classes:
            inside = (node for node in owner.body if isinstance(node, Function))
            found.extend((f"{owner.name}.{node.name}", node) for node in inside)
        return tuple(found)


def modules(root: Path, prefix: str = "") -> tuple[Module, ...]:
    """Read all Python files below ``root``; ``prefix`` is what ``root`` itself is called."""
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if any(part.startswith(".") for part in parts):
            continue
        named = parts[:-1] if parts[-1] == "__init__" else parts
        name = ".".join([*([prefix] if prefix else []), *named])
        found.append(Module(name=name, path=path, depth=len(parts) - 1))
    return tuple(found)


def edges(tree: Sequence[Module]) -> dict[str, set[str]]:
    """For each module, the modules of the same tree that it imports."""
    names = {module.name for module in tree}

    def resolve(imported: str) -> str | None:
        while imported and imported not in names:
            imported = imported.rpartition(".")[0]
        return imported or None

    found = {module.name: {resolve(name) for name in module.imports} for module in tree}
    return {name: {to for to in targets if to and to != name} for name, targets in found.items()}


# ---- what imports what


def ring_of(name: str, rings: Sequence[tuple[str, frozenset[str]]]) -> int | None:
    """Index of the ring that lists the first name below the package; None if none does."""
    part = name.split(".")[1] if "." in name else ""
    return next((index for index, (_, names) in enumerate(rings) if part in names), None)


def inward(
    tree: Sequence[Module], rings: Sequence[tuple[str, frozenset[str]]]
) -> Iterator[Measure]:
    """Modules in no ring, and imports that point outward."""
    for name, targets in edges(tree).items():
        here = ring_of(name, rings)
        if here is None:
            if "." in name:
                yield Measure("module in no ring", name)
            continue
        for target in sorted(targets):
            there = ring_of(target, rings)
            if there is None or there > here:
                yield Measure("import points outward", f"{name} -> {target}")


def pure(tree: Sequence[Module], parts: frozenset[str]) -> Iterator[Measure]:
    """Imports of what needs Node, in modules that must do without."""
    for module in tree:
        if "." in module.name and module.name.split(".")[1] in parts:
            tops = {name.partition(".")[0] for name in module.imports}
            for top in sorted(tops & NEEDS_NODE):
                yield Measure("pure module needs Node", f"{module.name} -> {top}")


def cycles(tree: Sequence[Module]) -> Iterator[Measure]:
    """The first circle of imports, if there is one."""
    try:
        TopologicalSorter(edges(tree)).prepare()
    except CycleError as error:
        yield Measure("imports form a cycle", " -> ".join(error.args[1]))


def circles(tree: Sequence[Module]) -> Iterator[Measure]:
    """Folder by folder, the first circle among what stands in it: modules and further folders."""
    found = edges(tree)
    for package in (module.name for module in tree if module.is_package):
        inside: dict[str, set[str]] = {}
        for name, targets in found.items():
            own = _child(package, name)
            if own:
                others = {_child(package, target) for target in targets} - {own, ""}
                inside.setdefault(own, set()).update(others)
        try:
            TopologicalSorter(inside).prepare()
        except CycleError as error:
            yield Measure(f"folders form a circle in {package}", " -> ".join(error.args[1]))


def _child(package: str, name: str) -> str:
    """What stands in ``package`` and is or holds ``name``; nothing where it is elsewhere."""
    inside = name.startswith(f"{package}.")
    return name.removeprefix(f"{package}.").partition(".")[0] if inside else ""


def sideways(tree: Sequence[Module], folder: str, shared: frozenset[str]) -> Iterator[Measure]:
    """Imports from one member of ``folder`` into another, but for what is there to be shared."""
    for name, targets in edges(tree).items():
        if not name.startswith(f"{folder}."):
            continue
        own = name.removeprefix(f"{folder}.").partition(".")[0]
        for target in sorted(targets):
            other = target.removeprefix(f"{folder}.").partition(".")[0]
            if target.startswith(f"{folder}.") and other != own and other not in shared:
                yield Measure("add-on imports another", f"{name} -> {target}")


def importers(
    tree: Sequence[Module], target: str, allowed: frozenset[str], rule: str
) -> Iterator[Measure]:
    """Modules outside ``target`` that import it, or a module in it, and may not.

    Args:
        tree: All modules.
        target: A module or a package.
        allowed: Modules and packages that may import it.
        rule: What to call a finding.
    """
    for name, targets in edges(tree).items():
        if not _within(name, {*allowed, target}):
            for found in sorted(each for each in targets if _within(each, {target})):
                yield Measure(rule, f"{name} -> {found}")


def reaching(tree: Sequence[Module], starts: Sequence[Module]) -> Iterator[Measure]:
    """Modules of ``starts`` that need Node, themselves or through what they import of ``tree``."""
    found = edges(tree)
    needing = {
        module.name
        for module in tree
        if NEEDS_NODE & {name.partition(".")[0] for name in module.imports}
    }
    for start in starts:
        queue, seen = [start.name], {start.name}
        for name in queue:
            new = found[name] - seen
            seen |= new
            queue.extend(sorted(new))
        for name in sorted(seen & needing):
            yield Measure("unit test needs Node", f"{start.name} -> {name}")


def _within(name: str, packages: Iterable[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


# ---- sizes


def sizes(tree: Sequence[Module]) -> Iterator[Measure]:
    """Lines of files, depth of folders, lines and arguments of functions."""
    for module in tree:
        yield Measure("lines of a file", module.name, len(module.text.splitlines()))
        yield Measure("folders deep", module.name, module.depth)
        for name, function in module.functions:
            subject = f"{module.name}:{name}"
            yield Measure("lines of a function", subject, _lines(function))
            yield Measure("arguments of a function", subject, len(_arguments(function)))


def folders(tree: Sequence[Module]) -> Iterator[Measure]:
    """Modules that stand in a folder itself, not in folders of it."""
    held = Counter(module.name.rpartition(".")[0] for module in tree if not module.is_package)
    for folder, amount in held.items():
        yield Measure("modules of a folder", folder, amount)


def members(tree: Sequence[Module]) -> Iterator[Measure]:
    """Public methods and public attributes of classes; the choices of an enum are neither."""
    for module in tree:
        for owner in module.classes:
            subject = f"{module.name}:{owner.name}"
            inside = [node for node in owner.body if isinstance(node, Function)]
            shown = [node for node in inside if not node.name.startswith("_")]
            methods = [node for node in shown if not _is_property(node)]
            yield Measure("public methods of a class", subject, len(methods))
            attributes = {node.name for node in shown if _is_property(node)}
            attributes |= {name for name in _fields(owner) if not name.startswith("_")}
            attributes |= {name for each in inside for name in _written(each) if name[0] != "_"}
            yield Measure("public attributes of a class", subject, len(attributes))


# ---- what readers see


def names(tree: Sequence[Module]) -> Iterator[Measure]:
    """Modules and folders whose names say nothing."""
    for module in tree:
        if VAGUE & set(module.name.split(".")):
            yield Measure("vague name", module.name)


def twins(tree: Sequence[Module]) -> Iterator[Measure]:
    """Public classes that share a name: a reader cannot know which one is meant."""
    owners: dict[str, list[str]] = {}
    for module in tree:
        for owner in _public_classes(module):
            owners.setdefault(owner.name, []).append(module.name)
    for name, found in owners.items():
        if len(found) > 1:
            yield Measure("one name, several classes", f"{name}: {', '.join(found)}")


def inits(tree: Sequence[Module]) -> Iterator[Measure]:
    """Logic in ``__init__.py``: anything but a docstring, imports and plain assignments."""
    plain = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.Expr)
    for module in tree:
        parts = [part.body if _is_typing(part) else [part] for part in module.tree.body]
        nodes = (node for part in parts for node in part)
        if module.is_package and not all(isinstance(node, plain) for node in nodes):
            yield Measure("logic in __init__", module.name)


def signatures(tree: Sequence[Module]) -> Iterator[Measure]:
    """``Any`` and ``**kwargs`` in what is public."""
    for module in tree:
        for name, function in _public(module.functions):
            args = function.args
            if args.kwarg:
                yield Measure("**kwargs in a public signature", f"{module.name}:{name}")
            arguments = (node for node in ast.walk(args) if isinstance(node, ast.arg))
            hints = [function.returns, *(argument.annotation for argument in arguments)]
            if any(_has_any(hint) for hint in hints):
                yield Measure("Any in a public signature", f"{module.name}:{name}")
        for owner in module.classes:
            for name, hint in _fields(owner).items():
                if not owner.name.startswith("_") and not name.startswith("_") and _has_any(hint):
                    yield Measure("Any in a public signature", f"{module.name}:{owner.name}.{name}")


def callbacks(tree: Sequence[Module]) -> Iterator[Measure]:
    """Functions in fields of ``...Context`` classes, by which an inner ring could call an outer."""
    for module in tree:
        for owner in module.classes:
            for name, hint in _fields(owner).items():
                if owner.name.endswith("Context") and "Callable" in ast.unparse(hint):
                    yield Measure("context holds a function", f"{module.name}:{owner.name}.{name}")


def docstrings(tree: Sequence[Module]) -> Iterator[Measure]:
    """Modules, public classes, functions and methods that say nothing about themselves."""
    for module in tree:
        named: list[tuple[str, ast.Module | ast.ClassDef | Function]] = [
            (module.name, module.tree),
            *((f"{module.name}:{owner.name}", owner) for owner in _public_classes(module)),
            *((f"{module.name}:{name}", function) for name, function in _public(module.functions)),
        ]
        for subject, node in named:
            said = subject.endswith(".__init__") or ast.get_docstring(node) or _is_overload(node)
            if not said:
                yield Measure("no docstring", subject)


def unread(tree: Sequence[Module], readers: Iterable[Module] = ()) -> Iterator[Measure]:
    """Fields of values and dataclasses that nothing reads; a check of a field does not use it."""
    read: set[str] = set()
    for module in (*tree, *readers):
        read |= _reads(module.tree)
    for module in tree:
        for owner in module.classes:
            if any(_declares_fields(each) for each in owner.decorator_list):
                for name in _fields(owner):
                    if name not in read:
                        yield Measure(
                            "field that nothing reads", f"{module.name}:{owner.name}.{name}"
                        )


def explanations(tree: Sequence[Module]) -> Iterator[Measure]:
    """Constants of modules that are explained below: by a string, or by a paragraph of comments."""
    for module in tree:
        lines = module.text.splitlines()
        for node, after in pairwise([*module.tree.body, None]):
            if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not node.end_lineno:
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            below = (line.strip() for line in lines[node.end_lineno :])
            paragraph = list(takewhile(bool, below))
            if _is_text(after) or (paragraph and all(line[0] == "#" for line in paragraph)):
                subject = f"{module.name}:{ast.unparse(targets[0])}"
                yield Measure("explained below, not above", subject)


# ---- parts of the syntax


def _is_typing(node: ast.stmt) -> TypeGuard[ast.If]:
    """Whether a statement is ``if TYPE_CHECKING:`` or ``if not TYPE_CHECKING:``."""
    tests = ("TYPE_CHECKING", "not TYPE_CHECKING")
    return isinstance(node, ast.If) and ast.unparse(node.test) in tests and not node.orelse


def _is_text(node: ast.stmt | None) -> bool:
    """Whether a statement is a bare string."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _reads(node: ast.AST) -> set[str]:
    checks = ("post_init", "rules", "check", "validate")
    if isinstance(node, Function) and node.name.strip("_").startswith(checks):
        return set()
    found = {name for child in ast.iter_child_nodes(node) for name in _reads(child)}
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        found.add(node.attr)
    if isinstance(node, ast.MatchClass):
        found.update(node.kwd_attrs)
    return found


def _declares_fields(decorator: ast.expr) -> bool:
    return ast.unparse(decorator).partition("(")[0].split(".")[-1] in ("dataclass", "value")


def _lines(function: Function) -> int:
    """Lines without the docstring: what it says is never too long for its own sake."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) and first.end_lineno:
        total -= first.end_lineno - first.lineno + 1
    return total


def _arguments(function: Function) -> list[str]:
    """Arguments a caller thinks about: not ``self``, nor a construct's ``scope`` and ``id``."""
    args = function.args
    named = [arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    if named[:1] in (["self"], ["cls"]):
        named = named[1:]
    return named[2:] if named[:2] == ["scope", "id"] else named


def _fields(owner: ast.ClassDef) -> Mapping[str, ast.expr]:
    annotated = (node for node in owner.body if isinstance(node, ast.AnnAssign))
    pairs = ((node.target, node.annotation) for node in annotated)
    return {
        target.id: hint
        for target, hint in pairs
        if isinstance(target, ast.Name) and "ClassVar" not in ast.unparse(hint)
    }


def _written(function: Function) -> Iterator[str]:
    """Names that a method assigns on ``self``."""
    attributes = (node for node in ast.walk(function) if isinstance(node, ast.Attribute))
    for node in attributes:
        owner = node.value.id if isinstance(node.value, ast.Name) else ""
        if owner == "self" and isinstance(node.ctx, ast.Store):
            yield node.attr


def _is_overload(node: ast.Module | ast.ClassDef | Function) -> bool:
    decorators = node.decorator_list if isinstance(node, Function) else ()
    return any(ast.unparse(each) == "overload" for each in decorators)


def _is_property(function: Function) -> bool:
    return any("property" in ast.unparse(each) for each in function.decorator_list)


def _has_any(hint: ast.expr | None) -> bool:
    nodes = ast.walk(hint) if hint else ()
    return any(getattr(node, "id", getattr(node, "attr", "")) == "Any" for node in nodes)


def _public(functions: Iterable[tuple[str, Function]]) -> Iterator[tuple[str, Function]]:
    for name, function in functions:
        if not any(part.startswith("_") and part != "__init__" for part in name.split(".")):
            yield name, function


def _public_classes(module: Module) -> Iterator[ast.ClassDef]:
    return (owner for owner in module.classes if not owner.name.startswith("_"))
