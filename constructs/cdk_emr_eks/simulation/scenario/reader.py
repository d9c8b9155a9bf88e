"""Read scenarios from YAML files, and report every problem with its place in the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from difflib import get_close_matches
from enum import Enum
from functools import cache, partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias, cast, get_args, get_origin

import yaml

from cdk_emr_eks.errors import ConfigError, ConfigProblem, refuse
from cdk_emr_eks.simulation.faults import FAULTS, Fault
from cdk_emr_eks.simulation.scenario.model import (
    Arrival,
    AtOnce,
    AtTimes,
    Every,
    JobGroup,
    Poisson,
    Scenario,
    SparkStage,
)
from cdk_emr_eks.units import Cpu

if TYPE_CHECKING:
    from cattrs import ClassValidationError, Converter

# Makes a value of what the file has; the second argument is the type.
Hook: TypeAlias = Callable[[Any, Any], object]

_SHIPPED: Final = resources.files("cdk_emr_eks.simulation.scenario") / "shipped"
_ARRIVALS: Final = {"at-once": AtOnce, "every": Every, "times": AtTimes, "poisson": Poisson}
_DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
# The short form of a job with one stage.
_SHORT: Final = ("executors", "run_time")
_DEFAULT_STAGE: Final = {"executors": 4, "run_time": "1m"}


def shipped_scenarios() -> tuple[str, ...]:
    """Return the names of the scenarios in the package, sorted."""
    names = (each.name for each in _SHIPPED.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def read_scenario(name_or_file: str | Path) -> Scenario:
    """Read a scenario of the package by its name, or a YAML file.

    Raises:
        ConfigError: If the scenario does not exist or has problems: with the file, and the place of
            each problem.
    """
    text = str(name_or_file)
    if text in shipped_scenarios():
        return parse_scenario((_SHIPPED / f"{text}.yaml").read_text(encoding="utf-8"), text, text)
    path = Path(text)
    if not path.is_file():
        known = ", ".join(shipped_scenarios())
        rule = f"must be a YAML file or one of {known}"
        raise refuse("Scenario", "scenario", rule, text, _closest(text, shipped_scenarios()))
    return parse_scenario(path.read_text(encoding="utf-8"), path.stem, str(path))


def parse_scenario(text: str, name: str, source: str) -> Scenario:
    """Return the scenario of a YAML text.

    Args:
        text: The text.
        name: Name of the scenario, unless the text has one.
        source: What errors call the text, such as its file.

    Raises:
        ConfigError: If the text is not YAML, or the scenario has problems.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise refuse(source, "file", f"must be YAML: {' '.join(str(error).split())}") from error
    if isinstance(content, Mapping):
        content = {"name": name, **content}
    try:
        return _converter().structure(content, Scenario)
    except Exception as error:
        problems = tuple(_problems(error, ""))
        raise ConfigError(f"Scenario {source!r}", problems) from error


@cache
def _converter() -> Converter:
    # Imported here, since the command line reads the names of scenarios at each start.
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn

    converter = Converter(forbid_extra_keys=True)

    def of_class(cls: type) -> Hook:
        structure: Callable[[Any, Any], object] = make_dict_structure_fn(
            cls, converter, _cattrs_forbid_extra_keys=True
        )
        return lambda given, _: structure(_mapping(given), cls)

    for plain in (str, int, float):
        converter.register_structure_hook(plain, _plain)
    converter.register_structure_hook(timedelta, _duration)
    converter.register_structure_hook(Cpu, _cpu)
    converter.register_structure_hook_func(partial(_has_origin, Mapping), _properties)
    converter.register_structure_hook_factory(is_dataclass, of_class)
    converter.register_structure_hook_factory(
        partial(_has_origin, tuple), partial(_items, converter)
    )
    converter.register_structure_hook_func(
        lambda cls: cls == Arrival, _tagged(converter, _ARRIVALS)
    )
    converter.register_structure_hook_func(lambda cls: cls is Fault, _tagged(converter, FAULTS))
    # After the hooks of its fields, which it looks up now.
    job_group = _job_group(converter, of_class(JobGroup))
    converter.register_structure_hook_func(lambda cls: cls is JobGroup, job_group)
    return converter


def _tagged(converter: Converter, kinds: Mapping[str, type]) -> Hook:
    """Return the hook of a type with several kinds; the field ``kind`` names the kind."""

    def structure(given: object, _: object) -> object:
        content = dict(_mapping(given))
        kind = str(content.pop("kind", ""))
        if kind not in kinds:
            rule = f"must be one of {', '.join(sorted(kinds))}"
            _refuse(rule, kind or None, _closest(kind, kinds), field="kind")
        return converter.structure(content, kinds[kind])

    return structure


def _items(converter: Converter, cls: object) -> Hook:
    """Return the hook of a tuple."""
    wanted: Any = list[get_args(cls)[0]]  # type: ignore[misc]

    def structure(given: object, _: object) -> object:
        if not isinstance(given, list):
            _refuse("must be a list", given)
        return tuple(converter.structure(given, wanted))

    return structure


def _job_group(converter: Converter, of_fields: Hook) -> Hook:
    """Return the hook of a group of jobs, which has a short form for one stage."""

    def structure(given: object, _: object) -> object:
        content = dict(_mapping(given))
        short = {key: content.pop(key) for key in _SHORT if key in content}
        if short and "stages" in content:
            _refuse("must have either stages, or executors and run_time")
        group = cast(JobGroup, of_fields(content, JobGroup))
        if not short:
            return group
        stage = converter.structure({**_DEFAULT_STAGE, **short}, SparkStage)
        return replace(group, stages=(stage,))

    return structure


# ---- values


def _has_origin(origin: object, cls: object) -> bool:
    return get_origin(cls) is origin


def _mapping(given: object) -> Mapping[str, object]:
    if not isinstance(given, Mapping):
        _refuse("must be a mapping", given)
    return {str(key): part for key, part in given.items()}


def _properties(given: object, _: object) -> Mapping[str, str]:
    return {
        key: str(part).lower() if isinstance(part, bool) else str(part)
        for key, part in _mapping(given).items()
    }


def _plain(given: object, wanted: type) -> object:
    # The hook of a class is used for its subclasses, too.
    if issubclass(wanted, Enum):
        return _choice(given, wanted)
    # YAML reads the position of a zone as a number. The values check all other types.
    return str(given) if wanted is str and type(given) in (int, float) else given


def _choice(given: object, wanted: type[Enum]) -> Enum:
    choices = [str(each.value) for each in wanted]
    if given not in choices:
        _refuse(f"must be one of {', '.join(choices)}", given, _closest(str(given), choices))
    return wanted(given)


def _cpu(given: object, _: object) -> Cpu:
    if isinstance(given, bool) or not isinstance(given, int | float):
        _refuse("must be a number", given)
    return Cpu.cores(given)


def _duration(given: object, _: object) -> timedelta:
    match = _DURATION.fullmatch(given) if isinstance(given, str) and given else None
    if match is None:
        fix = f"write '{given}s'" if isinstance(given, int) else ""
        _refuse("must be a duration such as '90s', '10m', '1h30m' or '1d'", given, fix)
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


# ---- errors


def _refuse(rule: str, got: object = None, fix: str = "", *, field: str = "") -> NoReturn:
    """Refuse a value, or a field of it. The place of the value is added when errors are read."""
    raise refuse("Scenario", field, rule, got, fix)


def _problems(error: BaseException, place: str) -> Iterator[ConfigProblem]:
    """Yield the problems of an error of cattrs, with their places in the file."""
    from cattrs import ClassValidationError, ForbiddenExtraKeysError, IterableValidationError

    match error:
        case ClassValidationError():
            yield from _class_problems(error, place)
        case IterableValidationError():
            for each, item in error.group_exceptions()[0]:
                yield from _problems(each, f"{place}[{item.index}]")
        case ForbiddenExtraKeysError():
            short = _SHORT if error.cl is JobGroup else ()
            known = sorted([*(each.name for each in fields(error.cl)), *short])
            for key in sorted(error.extra_fields):
                rule = f"is not a field; the fields are {', '.join(known)}"
                yield ConfigProblem(field=_join(place, key), rule=rule, fix=_closest(key, known))
        case ConfigError():
            for problem in error.problems:
                yield replace(problem, field=_join(place, problem.field) or "file")
        case _:
            raise error


def _class_problems(error: ClassValidationError, place: str) -> Iterator[ConfigProblem]:
    located, others = error.group_exceptions()
    missing = [note.name for each, note in located if isinstance(each, KeyError)]
    if missing:
        yield ConfigProblem(field=place or "file", rule=f"needs {', '.join(missing)}")
    for each, note in located:
        if not isinstance(each, KeyError):
            yield from _problems(each, _join(place, note.name))
    for each in others:
        yield from _problems(each, place)


def _join(place: str, field: str) -> str:
    return f"{place}.{field}" if place and field else place or field


def _closest(text: str, names: Iterable[str]) -> str:
    found = get_close_matches(text, list(names), n=1)
    return f"did you mean {found[0]!r}?" if found else ""
