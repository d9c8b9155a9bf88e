"""The error for invalid input: where it is, the rule, what was given, and how to fix it.

Every public value checks itself before any AWS or Kubernetes object is created. One error reports
all problems of a value, so that a user can fix them together.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigProblem:
    """One rule that one field breaks.

    Args:
        field: Name of the field, as the user writes it.
        rule: What is allowed, as the end of a sentence that starts with the field's name.
        got: The value given, or None where a missing value is the problem.
        fix: What to do instead, or nothing.
    """

    field: str
    rule: str
    got: object = None
    fix: str = ""

    def __str__(self) -> str:
        text = f"{self.field} {self.rule}"
        if self.got is not None:
            text += f", got {self.got!r}"
        if self.fix:
            text += f"; {self.fix}"
        return text


class ConfigError(ValueError):
    """Invalid input to a construct or a value, found before any resource is created.

    Attributes:
        where: The construct or value that refuses the input, such as ``Tenant 'analytics'``.
        problems: Every broken rule.
        fields: The fields of those rules, in order.
    """

    def __init__(self, where: str, problems: tuple[ConfigProblem, ...]) -> None:
        self.where = where
        self.problems = problems
        self.fields = tuple(problem.field for problem in problems)
        super().__init__(_text(where, problems))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[str, tuple[ConfigProblem, ...]]]:
        """Pickle the arguments: exceptions pickle their text only."""
        return type(self), (self.where, self.problems)


def _text(where: str, problems: tuple[ConfigProblem, ...]) -> str:
    """Return one line for one problem, and one line for each of several."""
    lines = [str(each) if str(each).endswith("?") else f"{each}." for each in problems]
    if len(lines) == 1:
        return f"{where}: {lines[0]}"
    return "\n  - ".join((f"{where}:", *lines))


def refuse(where: str, field: str, rule: str, got: object = None, fix: str = "") -> ConfigError:
    """Return the error for a single broken rule; the caller raises it."""
    return ConfigError(where, (ConfigProblem(field=field, rule=rule, got=got, fix=fix),))
