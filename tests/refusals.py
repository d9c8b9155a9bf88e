"""Tables of invalid calls, each with the error that it raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from cdk_emr_eks.errors import ConfigError

Call = Callable[[], object]


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
