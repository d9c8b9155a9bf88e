"""The platform on a real Kubernetes control plane and an emulated AWS, on one's own machine.

Needs the extra: ``pip install 'cdk-emr-eks[simulation]'``.
"""
