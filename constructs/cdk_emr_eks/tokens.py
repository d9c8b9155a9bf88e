"""The CDK's tokens in text: what stands for a value that only the deployment knows.

The CDK writes one as ``${Token[...]}``. Asking it would cost a round trip to Node for each text,
and the specs must not import it.
"""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(r"\$\{Token\[[^\]]*\]\}")


def has_token(text: str) -> bool:
    """Tell whether a text is a token or has one in it."""
    return _TOKEN.search(text) is not None


def without_tokens(text: str) -> str:
    """Return the part of a text that is known at synth."""
    return _TOKEN.sub("", text)


def is_arn(text: str) -> bool:
    """Tell whether a text is an ARN, or has a token, which is taken to hold one."""
    return text.startswith("arn:") or has_token(text)
