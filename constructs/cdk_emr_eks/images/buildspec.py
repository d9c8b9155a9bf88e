"""The build specification: one script, the same for every step."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Final

_END: Final = "END_OF_BUILD_SCRIPT"


def buildspec() -> str:
    """Return what CodeBuild runs, as JSON, which it reads as the YAML that it is.

    Source: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
    """
    script = (files("cdk_emr_eks.images") / "build.sh").read_text(encoding="utf-8")
    # From a file, not from standard input, which the script's own commands would read away.
    command = f'script=$(mktemp)\ncat >"$script" <<\'{_END}\'\n{script}{_END}\nbash "$script"'
    return json.dumps(
        {
            "version": "0.2",
            "env": {"shell": "bash"},
            "phases": {"build": {"commands": [command]}},
        },
        indent=1,
    )
