"""The ``emr-eks`` command with its subcommands."""

from __future__ import annotations

from importlib import import_module
from typing import Final

try:
    import click
    import rich  # noqa: F401 (checked here, so that its absence has the same message)
except ImportError as error:
    # Users of the command need the sentence, not the traceback.
    raise SystemExit(
        f"emr-eks needs its extra ({error}): pip install 'cdk-emr-eks[cli]'"
    ) from error

# Module of each subcommand, and its line in the help of the whole command.
_COMMANDS: Final = {
    "synth": ("synth", "Run the app, print its plan, write its deploy policies."),
    "plan": ("plan", "Show what an assembly would deploy."),
    "diff": ("diff", "Show what changes between two assemblies."),
    "deploy-policy": ("deploy_policy", "Print the IAM policies a deployment needs."),
    "simulate": ("simulate", "Run jobs on a simulated platform, on this machine."),
}


class _Commands(click.Group):
    """Imports a subcommand when it is used, so that the others do not slow it down."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _help = _COMMANDS[cmd_name]
        command = getattr(import_module(f"cdk_emr_eks.cli.{module}"), module)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cdk-emr-eks")
def main() -> None:
    """Check an EMR on EKS platform before it is deployed.

    `synth` runs an app; the other commands read the cloud assembly that it or `cdk synth` wrote.
    """
