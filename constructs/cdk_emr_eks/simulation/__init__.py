"""Simulate the platform on a real Kubernetes control plane and an emulated AWS, on this machine.

Needs the extra: ``pip install 'cdk-emr-eks[simulation]'``.
"""
