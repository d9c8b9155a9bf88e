"""CDK tokens in text: placeholders of values that only the deployment knows.

The CDK writes a token as ``${Token[...]}``. A call of the CDK would cost a round trip to Node for
each text, and the model must not import the CDK.
"""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(r"\$\{Token\[[^\]]*\]\}")


def has_token(text: str) -> bool:
    """Return whether a text is a token or contains one."""
    return _TOKEN.search(text) is not None


def without_tokens(text: str) -> str:
    """Return the part of a text that is known at synth."""
    return _TOKEN.sub("", text)


def is_arn(text: str) -> bool:
    """Return whether a text is an ARN, or contains a token, which can be one."""
    return text.startswith("arn:") or has_token(text)
