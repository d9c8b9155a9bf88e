"""CDK's own function behind ``AwsCustomResource``: what is found on it, and how long it logs."""

from __future__ import annotations

from typing import Final, cast

from aws_cdk import Aws, CfnResource, RemovalPolicy, Stack, custom_resources
from aws_cdk import aws_logs as logs

from cdk_emr_eks.security.nag import accept, managed_policy, skip_checkov

_FUNCTION: Final = "AWS679f53fac002430cb0da5b7982bd2287"
# CDK makes one in a stack, for all calls, under the id that stands in its source.
_LOG_DAYS: Final = 30


def accept_sdk_call(call: custom_resources.AwsCustomResource) -> None:
    """Accept what checkers find on the function behind a call, and bound its logs.

    With the CDK's feature flag for log groups of functions, the group is a resource that CDK keeps
    for two years and leaves behind. The call waits for the group: were the group deleted first, the
    function would make it anew for the call's deletion, and leave it behind.
    """
    function = Stack.of(call).node.find_child(_FUNCTION)
    arn = f"arn:{Aws.PARTITION}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    accept(function, {managed_policy(call, arn): "The function writes its logs"})
    skip_checkov(
        cast(CfnResource, function.node.default_child),
        {
            "CKV_AWS_115": "CloudFormation calls it for one resource at a time",
            "CKV_AWS_116": "CloudFormation waits for its answer and reports what fails",
            "CKV_AWS_117": "It calls AWS's public API, and nothing in the VPC",
        },
    )
    found = function.node.try_find_child("LogGroup")
    if found is not None:
        group = cast(logs.CfnLogGroup, found.node.default_child)
        group.retention_in_days = _LOG_DAYS
        group.apply_removal_policy(RemovalPolicy.DESTROY)
        call.node.add_dependency(group)
        why = "CloudWatch's own key: answers of AWS's API, nothing of the jobs"
        skip_checkov(group, {"CKV_AWS_158": why})
