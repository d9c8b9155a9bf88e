"""Tables of valid and invalid calls, with the error that an invalid one raises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import pytest

from cdk_emr_eks.errors import ConfigError

Call = Callable[[], object]
Build = Callable[[str], object]
# A field, a call that gives it a text, and texts that are just allowed and just refused.
Boundary = tuple[str, Build, Sequence[str], Sequence[str]]


def refused(call: Call) -> str:
    """Return the text of the error that a call raises."""
    with pytest.raises(ConfigError) as caught:
        call()
    return str(caught.value)


def refuses(call: Call, field: str, words: str) -> None:
    """Assert that a call raises an error that is about a field and contains some words."""
    with pytest.raises(ConfigError) as caught:
        call()
    assert field in caught.value.fields
    assert words in str(caught.value)


def refusals(cases: Mapping[str, tuple[Call, str]]) -> pytest.MarkDecorator:
    """Parametrize a test with ``call`` and ``message``: by name, a call and the text of its error.

    Example::

        @refusals({"no cores": (lambda: DriverShape(cores=0), "DriverShape: cores must be ...")})
        def test_invalid_shapes_are_refused(call: Call, message: str) -> None:
            assert refused(call) == message
    """
    given = [pytest.param(call, text, id=name) for name, (call, text) in cases.items()]
    return pytest.mark.parametrize(("call", "message"), given)


def allowed_texts(table: Iterable[Boundary]) -> pytest.MarkDecorator:
    """Parametrize a test with ``build`` and ``text``, for each text that is just allowed."""
    given = [
        pytest.param(build, text, id=_id(field, text))
        for field, build, allowed, _ in table
        for text in allowed
    ]
    return pytest.mark.parametrize(("build", "text"), given)


def refused_texts(table: Iterable[Boundary]) -> pytest.MarkDecorator:
    """Parametrize a test with ``field``, ``build`` and ``text``, for each text just refused."""
    given = [
        pytest.param(field, build, text, id=_id(field, text))
        for field, build, _, refused in table
        for text in refused
    ]
    return pytest.mark.parametrize(("field", "build", "text"), given)


def refused_fields(call: Call) -> set[str]:
    """Return the fields that the error of a call is about."""
    with pytest.raises(ConfigError) as caught:
        call()
    return set(caught.value.fields)


def _id(field: str, text: str) -> str:
    return f"{field} {text[:30]} {len(text)}"
