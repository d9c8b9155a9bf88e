"""What only one construct of an app may have, such as a namespace of a cluster."""

from __future__ import annotations

from typing import Final, cast

from aws_cdk import Stack, Stage
from constructs import Construct

from cdk_emr_eks.errors import refuse

_ID: Final = "EmrEksClaims"


class AppClaims(Construct):
    """The list of claims of one app; it stands at the app's root, so that two stacks share it.

    Resources made: none.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self._owners: dict[tuple[str, ...], str] = {}
        self._kept_off: dict[tuple[str, ...], tuple[str, str, str]] = {}
        self._folders: dict[tuple[str, ...], str] = {}
        self._environments: dict[Stack, tuple[str, str]] = {}

    @classmethod
    def of(cls, scope: Construct) -> AppClaims:
        """Return the claims of the app that holds ``scope``."""
        root = scope.node.root
        found = root.node.try_find_child(_ID)
        return cast(AppClaims, found) if found else cls(cast(Construct, root), _ID)

    def claim(
        self,
        scope: Construct,
        *what: str,
        field: str,
        rule: str,
        in_all_regions: bool = False,
    ) -> None:
        """Claim something of the account and region that ``scope`` is deployed to.

        Args:
            scope: The construct that claims.
            what: Kind of claim, then what tells it apart, such as cluster and namespace.
            field: Field of the error.
            rule: Rule of the error.
            in_all_regions: Whether the account has it once, not each region.

        Raises:
            ConfigError: If another construct of the app has it, or is kept off what others have.
        """
        path = scope.node.path
        key = (*self._environment(scope, in_all_regions), *what)
        if key in self._owners:
            raise refuse(path, field, f"{rule}; {self._owners[key]!r} has it", what[-1])
        if key in self._kept_off:
            other, its_field, its_rule = self._kept_off[key]
            raise refuse(other, its_field, f"{its_rule}; {path!r} has it", what[-1])
        self._owners[key] = path

    def reserve(self, scope: Construct, *what: str, field: str, rule: str) -> None:
        """Say that a construct uses something which must be nobody's, now or later.

        Args:
            scope: The construct that uses it.
            what: Kind of claim, then what tells it apart, as in ``take``.
            field: Field of the error.
            rule: Rule of the error.

        Raises:
            ConfigError: If a construct of the app has it.
        """
        path = scope.node.path
        key = (*self._environment(scope, False), *what)
        if key in self._owners:
            raise refuse(path, field, f"{rule}; {self._owners[key]!r} has it", what[-1])
        self._kept_off[key] = (path, field, rule)

    def claim_folder(
        self, scope: Construct, bucket: str, prefix: str, *, field: str, rule: str
    ) -> None:
        """Claim all objects below a prefix of a bucket; a bucket's name is the same everywhere.

        Args:
            scope: The construct that claims.
            bucket: Name of the bucket; two tokens of one bucket are the same text.
            prefix: Prefix without slashes at its ends. Empty: the whole bucket.
            field: Field of the error.
            rule: Rule of the error.

        Raises:
            ConfigError: If another construct of the app has it, a part of it, or what holds it.
        """
        path = scope.node.path
        folder = (bucket, *filter(None, prefix.split("/")))
        for other, owner in self._folders.items():
            shared = min(len(folder), len(other))
            if folder[:shared] == other[:shared]:
                has = f"{owner!r} has 's3://{'/'.join(other)}'"
                raise refuse(path, field, f"{rule}; {has}", f"s3://{'/'.join(folder)}")
        self._folders[folder] = path

    def _environment(self, scope: Construct, in_all_regions: bool) -> tuple[str, str]:
        stack = Stack.of(scope)
        if stack not in self._environments:
            environment = stack.environment  # aws://ACCOUNT/REGION
            stage = Stage.of(stack) if "unknown-" in environment else None
            # Where account or region is unknown, two stages (dev, prod) may be two accounts.
            self._environments[stack] = (environment, stage.node.path if stage else "")
        environment, stage_path = self._environments[stack]
        return (environment.rpartition("/")[0] if in_all_regions else environment, stage_path)
