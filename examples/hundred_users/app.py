"""A hundred notebook users in ten teams, each with a separate endpoint and folder."""

import aws_cdk as cdk

from cdk_emr_eks import NotebookEndpoint, NotebookPlatform, NotebookUser, s3_folder
from cdk_emr_eks.stacks import PlatformStack, notebook_stacks

app = cdk.App()
platform = PlatformStack(app, "Platform", admin_role_names=["eks-admin"])
studio = cdk.Stack(app, "Studio")
notebooks = NotebookPlatform(
    studio, "Notebooks", cluster=platform.cluster, studio_name="research", auth_mode="IAM"
)
endpoints = [
    NotebookEndpoint(
        name=team, namespace=team, permissions=s3_folder("research-data", team, write=True)
    )
    for team in (f"team-{number:02}" for number in range(10))
]
users = [
    NotebookUser(identity_name=f"person{number:03}", endpoints=(endpoints[number % 10],))
    for number in range(100)
]
notebook_stacks(app, "Notebooks", platform=notebooks, users=users, endpoint_stacks=2, user_stacks=2)
app.synth()
