"""Claims: names that only one construct of an app can use, such as a cluster's namespace."""

from __future__ import annotations

from typing import Final, cast

from aws_cdk import Stack, Stage
from constructs import Construct

from cdk_emr_eks.errors import refuse

_ID: Final = "EmrEksClaims"


class AppClaims(Construct):
    """The claims of one app. It is a child of the app, so that all stacks share it.

    Resources: none.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self._owners: dict[tuple[str, ...], str] = {}
        self._reserved: dict[tuple[str, ...], tuple[str, str, str]] = {}
        self._folders: dict[tuple[str, ...], str] = {}
        self._environments: dict[Stack, tuple[str, str]] = {}

    @classmethod
    def of(cls, scope: Construct) -> AppClaims:
        """Return the claims of the app of ``scope``."""
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
        """Claim a name in the account and region of ``scope``.

        Args:
            scope: The construct that claims it.
            what: Kind of claim, then the parts of its key, such as cluster and namespace.
            field: Field of the error.
            rule: Rule of the error.
            in_all_regions: Whether the name is unique in the account, and not in each region.

        Raises:
            ConfigError: If another construct of the app has it, or reserved it.
        """
        path = scope.node.path
        key = (*self._environment(scope, in_all_regions), *what)
        if key in self._owners:
            raise refuse(path, field, f"{rule}; {self._owners[key]!r} has it", what[-1])
        if key in self._reserved:
            other, its_field, its_rule = self._reserved[key]
            raise refuse(other, its_field, f"{its_rule}; {path!r} has it", what[-1])
        self._owners[key] = path

    def reserve(self, scope: Construct, *what: str, field: str, rule: str) -> None:
        """Reserve a name so that no other construct in the app can claim it.

        Args:
            scope: The construct that reserves it.
            what: Kind of claim, then the parts of its key, as in ``claim``.
            field: Field of the error.
            rule: Rule of the error.

        Raises:
            ConfigError: If another construct of the app has it.
        """
        path = scope.node.path
        key = (*self._environment(scope, False), *what)
        if key in self._owners:
            raise refuse(path, field, f"{rule}; {self._owners[key]!r} has it", what[-1])
        self._reserved[key] = (path, field, rule)

    def claim_folder(
        self, scope: Construct, bucket: str, prefix: str, *, field: str, rule: str
    ) -> None:
        """Claim all objects below a prefix of a bucket; names of buckets are unique everywhere.

        Args:
            scope: The construct that claims them.
            bucket: Name of the bucket; two tokens of one bucket are the same text.
            prefix: Prefix without slashes at its ends. Empty: the whole bucket.
            field: Field of the error.
            rule: Rule of the error.

        Raises:
            ConfigError: If another construct of the app has the prefix, or a prefix of it, or a
                part below it.
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
            # If account or region is unknown, two stages (dev, prod) can be two accounts.
            self._environments[stack] = (environment, stage.node.path if stage else "")
        environment, stage_path = self._environments[stack]
        return (environment.rpartition("/")[0] if in_all_regions else environment, stage_path)
