"""A Studio with many users in separate stacks: ``python notebooks.py OUTDIR USERS``.

Each user has an own endpoint, namespace and folder, which is the most that a user can
cost; those who share an endpoint cost one policy.
"""

import sys

from aws_cdk import App, Environment, Stack

from cdk_emr_eks import (
    NotebookEndpoint,
    NotebookPlatform,
    NotebookUser,
    StudioSpec,
    s3_user_folder,
)
from cdk_emr_eks.stacks import PlatformStack, notebook_stacks

ENV = Environment(account="111122223333", region="eu-west-1")
# On average: names spread unevenly over stacks, which take 20 endpoints and 150 users.
ENDPOINTS_IN_A_STACK = 10
USERS_IN_A_STACK = 75

outdir, count = sys.argv[1:]
names = [f"user{number:04}" for number in range(int(count))]
users = [
    NotebookUser(
        identity_name=name,
        endpoints=(
            NotebookEndpoint(
                name=name, namespace=name, permissions=s3_user_folder("example-data", user=name)
            ),
        ),
    )
    for name in names
]
app = App(outdir=outdir)
platform = PlatformStack(app, "Platform", admin_role_names=["platform-admin"], env=ENV)
notebooks = NotebookPlatform(
    Stack(app, "Studio", env=ENV),
    "Notebooks",
    cluster=platform.cluster,
    # Each endpoint takes a rule of the workspaces' security group.
    studio=StudioSpec(name="research", rules_per_security_group=1_000),
)
notebook_stacks(
    app,
    "Notebooks",
    platform=notebooks,
    users=users,
    endpoint_stacks=-(-len(users) // ENDPOINTS_IN_A_STACK),
    user_stacks=-(-len(users) // USERS_IN_A_STACK),
    env=ENV,
)
app.synth()
