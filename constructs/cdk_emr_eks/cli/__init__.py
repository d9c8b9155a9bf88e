"""The ``emr-eks`` command, one module a subcommand. Only `synth` runs an app; none calls AWS."""

from cdk_emr_eks.cli.command import main

__all__ = ["main"]
