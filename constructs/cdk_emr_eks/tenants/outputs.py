"""Stack outputs of a tenant: ids, configurations, and a command that runs a first job."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import Aws, CfnOutput, Stack
from constructs import Construct

from cdk_emr_eks.model.access.execution_role import RoleUse
from cdk_emr_eks.model.tenants.tenant import Tenant
from cdk_emr_eks.tenants.execution_role import JobRole

_EXAMPLE_JOB: Mapping[str, object] = {
    # The script is in every EMR image, so the first job needs no code of the user.
    "sparkSubmitJobDriver": {
        "entryPoint": "local:///usr/lib/spark/examples/src/main/python/pi.py",
        "entryPointArguments": ["100"],
    }
}


def tenant_outputs(
    scope: Construct,
    *,
    cluster_name: str,
    tenant: Tenant,
    virtual_cluster_id: str,
    roles: Mapping[str, JobRole],
    configurations: Mapping[str, Mapping[str, object]],
) -> None:
    """Write a tenant's stack outputs, prefixed with the tenant's name in PascalCase.

    Args:
        scope: The tenant's construct.
        cluster_name: Literal name of its cluster.
        tenant: The tenant.
        virtual_cluster_id: Id of its virtual cluster.
        roles: Its execution roles by name.
        configurations: Job configurations by workload.
    """
    stack = Stack.of(scope)
    prefix = _pascal(tenant.name)
    if stack.node.try_find_child(f"{prefix}VirtualClusterId"):
        # A tenant of the same name on a second cluster in this stack.
        prefix = _pascal(cluster_name) + prefix

    def output(key: str, value: str, description: str) -> None:
        CfnOutput(stack, prefix + key, value=value, description=description)

    name = tenant.name
    output("VirtualClusterId", virtual_cluster_id, f"Virtual cluster of {name}")
    for number, role in enumerate(roles.values()):
        suffix = _pascal(role.spec.name) if number else ""
        output(f"ExecutionRoleArn{suffix}", role.arn, f"Execution role of {name}")
    for workload, configuration in configurations.items():
        # Tokens in it are text that JSON does not change: URIs and names without quotes.
        text = json.dumps(configuration, separators=(",", ":"))
        description = f"Job configuration of {name} for workload {workload}"
        output(f"{_pascal(workload)}Config", text, description)
    able = [role.arn for role in roles.values() if RoleUse.JOBS in role.spec.uses]
    if able:
        first = next(iter(configurations))
        config = f"{prefix}{_pascal(first)}Config"
        command = _command(virtual_cluster_id, able[0], tenant.release_label, config)
        output("StartJobRun", command, f"Runs a first job of {name} on workload {first}")


def _command(virtual_cluster_id: str, role_arn: str, release_label: str, config_output: str) -> str:
    # The value of an output has no documented limit. A command that reads the configuration from
    # its output is still easier to read, and always uses the deployed configuration.
    region = Aws.REGION
    query = f"Stacks[0].Outputs[?OutputKey=='{config_output}'].OutputValue"
    overrides = (
        f"aws cloudformation describe-stacks --region {region} "
        f'--stack-name {Aws.STACK_NAME} --query "{query}" --output text'
    )
    driver = json.dumps(_EXAMPLE_JOB, separators=(",", ":"))
    return (
        f"aws emr-containers start-job-run --region {region} --name first-job "
        f"--virtual-cluster-id {virtual_cluster_id} "
        f"--execution-role-arn {role_arn} "
        f"--release-label {release_label} "
        f"--job-driver '{driver}' "
        f'--configuration-overrides "$({overrides})"'
    )


def _pascal(name: str) -> str:
    # CloudFormation allows only letters and digits in the name of an output.
    words = "".join(letter if letter.isalnum() else " " for letter in name).split()
    return "".join(word[0].upper() + word[1:] for word in words)
