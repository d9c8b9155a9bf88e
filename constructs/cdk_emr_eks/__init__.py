"""AWS CDK constructs for a multi-tenant Amazon EMR on EKS platform.

The public names are in ``__init__.pyi``; each is imported when it is first asked for.
"""

from cdk_emr_eks.lazy_exports import exported, importer

_MODULES = exported(__file__)
__all__ = sorted(_MODULES)  # noqa: PLE0605 (the stub has the literal list)
__getattr__ = importer(__name__, _MODULES)
__dir__ = __all__.copy  # what an interactive shell completes
