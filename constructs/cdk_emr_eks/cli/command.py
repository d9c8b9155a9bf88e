"""The ``emr-eks`` command with its subcommands."""

from __future__ import annotations

try:
    import click
    import rich  # noqa: F401 (checked here, so that its absence has the same message)
except ImportError as error:
    # Users of the command need the sentence, not the traceback.
    raise SystemExit(
        f"emr-eks needs its extra ({error}): pip install 'cdk-emr-eks[cli]'"
    ) from error

from cdk_emr_eks.cli.deploy_policy import deploy_policy
from cdk_emr_eks.cli.diff import diff
from cdk_emr_eks.cli.plan import plan
from cdk_emr_eks.cli.simulate import simulate
from cdk_emr_eks.cli.synth import synth


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cdk-emr-eks")
def main() -> None:
    """Check an EMR on EKS platform before it is deployed.

    `synth` runs an app; the other commands read the cloud assembly that it or `cdk synth` wrote.
    """


for _command in (synth, plan, diff, deploy_policy, simulate):
    main.add_command(_command)
