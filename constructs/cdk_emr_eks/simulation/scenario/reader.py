"""Scenarios as YAML files: read, checked, and refused with the place of what is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from enum import Enum
from importlib import resources
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import Final, cast, get_args, get_origin, get_type_hints

import yaml

from cdk_emr_eks.errors import ConfigError, refuse
from cdk_emr_eks.simulation.scenario.arrival import Arrival, AtOnce, AtTimes, Every, Poisson
from cdk_emr_eks.simulation.scenario.fault import FAULTS
from cdk_emr_eks.simulation.scenario.model import JobGroup, Scenario, Stage
from cdk_emr_eks.units import Cpu

_DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
_FORMS: Final = "'90s', '10m', '1h30m' or '1d'"
_KINDS: Final[Mapping[object, Mapping[str, type]]] = MappingProxyType(
    {
        Arrival: {"at-once": AtOnce, "every": Every, "times": AtTimes, "poisson": Poisson},
        "Fault": {each.kind: each for each in FAULTS},
    }
)
_SHIPPED: Final = resources.files("cdk_emr_eks.simulation.scenario") / "shipped"


def shipped_scenarios() -> tuple[str, ...]:
    """Return the names of the scenarios that come with the library, in order."""
    names = (each.name for each in _SHIPPED.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def read_scenario(name_or_file: str | Path) -> Scenario:
    """Read a scenario that comes with the library, by its name, or one of a YAML file.

    Raises:
        ConfigError: If there is none, or it is wrong: with the file and the place in it.
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
    """Make a scenario of YAML text.

    Args:
        text: The text.
        name: Name of the scenario, unless the text has one.
        source: What to call the text in errors, such as its file.

    Raises:
        ConfigError: If it is no YAML, or the scenario is wrong.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise refuse(source, "file", f"must be YAML: {' '.join(str(error).split())}") from error
    if isinstance(content, Mapping):
        content = {"name": name, **content}
    return cast(Scenario, _Reader(source).value(Scenario, content, ""))


class _Reader:
    """Turns plain values into the scenario's, and knows where in the file it is."""

    def __init__(self, source: str) -> None:
        self._source = source

    def value(self, hint: object, raw: object, place: str) -> object:
        origin = get_origin(hint)
        if hint is Arrival or (get_args(hint) and set(get_args(hint)) == set(FAULTS)):
            return self._tagged(hint, raw, place)
        if NoneType in get_args(hint):
            return None if raw is None else self.value(get_args(hint)[0], raw, place)
        if origin is tuple:
            return self._items(get_args(hint)[0], raw, place)
        if origin is Mapping:
            return {key: self._text(part) for key, part in self._mapping(raw, place).items()}
        if isinstance(hint, type):
            return self._plain(hint, raw, place)
        raise TypeError(f"no rule for {hint}")

    def _plain(self, hint: type, raw: object, place: str) -> object:
        if hint is timedelta:
            return self._duration(raw, place)
        if hint is Cpu:
            return Cpu.cores(cast(float, self._typed(float, raw, place)))
        if issubclass(hint, Enum):
            choices = [each.value for each in hint]
            if raw not in choices:
                fix = _closest(str(raw), choices)
                raise self._wrong(place, f"must be one of {', '.join(choices)}", raw, fix)
            return hint(raw)
        if is_dataclass(hint):
            return self._object(hint, raw, place)
        return self._typed(hint, raw, place)

    def _typed(self, hint: type, raw: object, place: str) -> object:
        if hint is str and isinstance(raw, int | float) and not isinstance(raw, bool):
            return str(raw)  # a zone's position, which YAML reads as a number
        wanted = (int, float) if hint is float else hint
        if not isinstance(raw, wanted) or isinstance(raw, bool):
            words = {int: "a whole number", float: "a number", str: "text"}[hint]
            raise self._wrong(place, f"must be {words}", raw)
        return raw

    def _object(self, cls: type, raw: object, place: str) -> object:
        given = dict(self._mapping(raw, place))
        if cls is JobGroup:
            given = self._stages(given, place)
        hints = get_type_hints(cls)
        known = {each.name: hints[each.name] for each in fields(cls)}
        for key in given:
            if key not in known:
                also = ("executors", "run_time") if cls is JobGroup else ()
                names = sorted([*known, *also])
                rule = f"is no field here; the fields are {', '.join(names)}"
                raise self._wrong(_join(place, key), rule, None, _closest(str(key), names))
        read = {key: self.value(known[key], part, _join(place, key)) for key, part in given.items()}
        try:
            return cls(**read)
        except ConfigError as error:
            first = error.problems[0]
            at = _join(place, first.field)
            raise self._wrong(at, first.rule, first.got, first.fix) from error
        except TypeError as error:
            missing = [key for key in known if f"'{key}'" in str(error)]
            raise self._wrong(place, f"needs {', '.join(missing)}") from error

    def _stages(self, given: dict[str, object], place: str) -> dict[str, object]:
        """Write the short form of a job of one stage as a stage."""
        short = {key: given.pop(key) for key in ("executors", "run_time") if key in given}
        if not short:
            return given
        if "stages" in given:
            raise self._wrong(place, "must have either stages, or executors and run_time")
        default = Stage(executors=4, run_time=timedelta(minutes=1))
        stage = {"executors": default.executors, "run_time": "1m", **short}
        for key, part in short.items():  # errors name the field where it stands
            self.value(get_type_hints(Stage)[key], part, _join(place, key))
        return {**given, "stages": [stage]}

    def _tagged(self, hint: object, raw: object, place: str) -> object:
        kinds = _KINDS[Arrival if hint is Arrival else "Fault"]
        given = dict(self._mapping(raw, place))
        kind = str(given.pop("kind", ""))
        if kind not in kinds:
            rule = f"must be one of {', '.join(kinds)}"
            raise self._wrong(_join(place, "kind"), rule, kind or None, _closest(kind, kinds))
        return self._object(kinds[kind], given, place)

    def _items(self, hint: object, raw: object, place: str) -> tuple[object, ...]:
        if not isinstance(raw, list):
            raise self._wrong(place, "must be a list", raw)
        return tuple(self.value(hint, each, f"{place}[{n}]") for n, each in enumerate(raw))

    def _mapping(self, raw: object, place: str) -> Mapping[str, object]:
        if not isinstance(raw, Mapping):
            raise self._wrong(place, "must be a mapping", raw)
        return {str(key): part for key, part in raw.items()}

    def _duration(self, raw: object, place: str) -> timedelta:
        match = _DURATION.fullmatch(raw) if isinstance(raw, str) and raw else None
        if match is None:
            fix = f"write '{raw}s'" if isinstance(raw, int) else ""
            raise self._wrong(place, f"must be a duration such as {_FORMS}", raw, fix)
        days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)

    @staticmethod
    def _text(raw: object) -> str:
        return str(raw).lower() if isinstance(raw, bool) else str(raw)

    def _wrong(self, place: str, rule: str, got: object = None, fix: str = "") -> ConfigError:
        return refuse(f"Scenario {self._source!r}", place or "file", rule, got, fix)


def _join(place: str, key: object) -> str:
    return f"{place}.{key}" if place else str(key)


def _closest(text: str, names: object) -> str:
    found = difflib.get_close_matches(text, [str(each) for each in cast("list[str]", names)], n=1)
    return f"did you mean {found[0]!r}?" if found else ""
