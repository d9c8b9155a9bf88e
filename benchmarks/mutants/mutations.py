"""One-token changes of Python code: which a module has, and the code with one of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final

# Each comparison turns into the one that differs at the boundary, or into its contrary.
_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
}
# What follows a value, so that the changed text is another name, key or label.
_SUFFIX: Final = "x"


@dataclass(frozen=True)
class Mutant:
    """One change of one token.

    Attributes:
        path: The file, relative to the root of the repository.
        kind: ``comparison``, ``logic``, ``number``, ``flag`` or ``word``.
        line: Number of the line.
        code: Text of the line, without its indentation.
        before: The expression that has the token.
        after: The same expression, changed.
        place: Position among all places of the module that can be changed.
    """

    path: Path
    kind: str
    line: int
    code: str
    before: str
    after: str
    place: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind}: {self.before} -> {self.after}"


def mutants(path: Path, source: str) -> Iterator[Mutant]:
    """Yield every one-token change of a module, in the order of its code.

    Left out is what no test should look at: docstrings, annotations, decorators, ``__all__``, and
    text of several words, which is prose.
    """
    lines = source.splitlines()
    for place, (node, kind, changed) in enumerate(_changes(ast.parse(source))):
        code = lines[node.lineno - 1].strip()
        before, after = ast.unparse(node), ast.unparse(changed)
        yield Mutant(path, kind, node.lineno, code, before, after, place)


def mutated(source: str, mutant: Mutant) -> ast.Module:
    """Return the module of ``source`` with the change of a mutant."""
    tree = ast.parse(source)
    node, _, changed = next(islice(_changes(tree), mutant.place, None))
    ast.copy_location(changed, node)
    _Replace(node, changed).visit(tree)
    return ast.fix_missing_locations(tree)


class _Replace(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: ast.expr, new: ast.expr) -> None:
        self._old = old
        self._new = new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else self.generic_visit(node)


def sample(candidates: Sequence[Mutant], size: int, seed: int) -> list[Mutant]:
    """Choose mutants: as many of each kind as there are, in turn, else of the other kinds.

    Args:
        candidates: All mutants.
        size: How many to choose.
        seed: The same seed, candidates and size give the same sample.
    """
    random = Random(seed)
    by_kind: dict[str, list[Mutant]] = {}
    for mutant in candidates:
        by_kind.setdefault(mutant.kind, []).append(mutant)
    for group in by_kind.values():
        random.shuffle(group)
    chosen: list[Mutant] = []
    while len(chosen) < min(size, len(candidates)):
        for kind in sorted(by_kind):
            if by_kind[kind] and len(chosen) < size:
                chosen.append(by_kind[kind].pop())
    return chosen


def _changes(tree: ast.Module) -> Iterator[tuple[ast.expr, str, ast.expr]]:
    """Yield each expression that can be changed, the kind of change, and the changed one."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.expr):
            for kind, changed in _variants(node):
                yield node, kind, changed
        stack.extend(reversed(list(_children(node))))


def _children(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.FunctionDef) and "overload" in map(ast.unparse, node.decorator_list):
        return  # never called
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
        return
    skipped = {"annotation", "returns", "decorator_list", "format_spec"}
    for name, value in ast.iter_fields(node):
        if name not in skipped:
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, ast.AST):
                    yield each


def _variants(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Yield the kinds of change that an expression allows, each with the changed expression."""
    match node:
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            for number, operator in enumerate(ops):
                if other := _COMPARISONS.get(type(operator)):
                    changed = [*ops[:number], other(), *ops[number + 1 :]]
                    yield "comparison", ast.Compare(left, changed, comparators)
        case ast.BoolOp(op=operator, values=values):
            other_word = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield "logic", ast.BoolOp(other_word, values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "logic", operand
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            yield "number", ast.BinOp(left, _ARITHMETIC[type(op)](), right)
        case ast.Constant(value=bool() as flag):
            yield "flag", ast.Constant(not flag)
        case ast.Constant(value=int() | float() as number):
            yield "number", ast.Constant(number + 1)
        case ast.Constant(value=str() as text) if " " not in text:
            yield "word", ast.Constant(text + _SUFFIX)
