"""Custom images: for the jobs of a tenant, and for the kernels of its notebooks."""

import aws_cdk as cdk

from cdk_emr_eks import (
    Admission,
    ImageSpec,
    KernelImages,
    NotebookEndpoint,
    NotebookImage,
    NotebookPlatform,
    NotebookUser,
    SparkImage,
    Tenant,
)
from cdk_emr_eks.stacks import PlatformStack

PACKAGES = ("pandas==2.2.3", "pyarrow==18.1.0")

app = cdk.App()
platform = PlatformStack(app, "Platform", admin_role_names=["eks-admin"])
science = cdk.Stack(app, "Science")

# Jobs run on both architectures, notebook kernels on x86 only. Both images have PACKAGES.
jobs = SparkImage(science, "JobImage", spec=ImageSpec(name="jobs", requirements=PACKAGES))
kernel = NotebookImage(
    science,
    "KernelImage",
    spec=ImageSpec(name="kernel", requirements=(*PACKAGES, "plotly==5.24.1")),
)
# In this stack images are named by digest, so admission policies can require digests.
tenant = platform.cluster.add_tenant(
    Tenant(
        name="science",
        image=jobs.uri,
        admission=Admission(registries=(jobs.registry, kernel.registry), image_digests=True),
    ),
    scope=science,
)
cdk.CfnOutput(science, "JobImageUri", value=jobs.uri)

notebooks = NotebookPlatform(
    science,
    "Notebooks",
    cluster=platform.cluster,
    studio_name="science",
    auth_mode="IAM",
    tenant=Tenant(
        name="science-notebooks",
        workloads=("notebook",),
        admission=Admission(registries=(kernel.registry,), image_digests=True),
    ),
)
notebooks.add_user(
    NotebookUser(
        identity_name="ann",
        endpoints=(NotebookEndpoint(name="science", kernel_images=KernelImages(spark=kernel.uri)),),
    )
)
app.synth()
