"""The stacks of ``app.py``, built from the ready stacks of :mod:`cdk_emr_eks.stacks`."""

from stacks.reference import reference_stacks

__all__ = ["reference_stacks"]
