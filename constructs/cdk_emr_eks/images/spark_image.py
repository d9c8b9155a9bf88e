"""Images of one's own for jobs, and for the kernels of notebooks."""

from __future__ import annotations

from cdk_emr_eks.images.emr_image import EmrImage
from cdk_emr_eks.model.images.emr_images import ImageKind


class SparkImage(EmrImage):
    """An image for jobs, Spark Connect and Livy, made of EMR's Spark image.

    Pass ``uri`` to ``EmrEksTenant.job_configuration(..., image=...)``, to ``JobTemplateSpec.image``
    or to ``Tenant.image``.

    Resources made for both architectures: ten (repository, log group, two roles, two build
    projects, pipeline, handle and condition of the wait, parameter with the URI); for one
    architecture: nine. The build context is a file asset.

    Args:
        spec: The image.
        key: KMS key of the repository. None: ECR's own encryption.
        asset_key: KMS key of the asset bucket, where the environment was bootstrapped with
            ``--bootstrap-customer-key``. None: it has none.

    Raises:
        ConfigError: If the spec is of a notebook's kind.
    """

    kinds = (ImageKind.SPARK,)


class NotebookImage(EmrImage):
    """An image for the kernels of managed endpoints, made of EMR's notebook images.

    Without a kind it is for the PySpark kernel. It is built for amd64 only, where EMR runs
    endpoints. Pass ``uri`` to ``KernelImages``, as ``spark`` or ``python`` by its kind.

    Resources made: nine, as for a ``SparkImage`` of one architecture.

    Args:
        spec: The image.
        key: KMS key of the repository. None: ECR's own encryption.
        asset_key: KMS key of the asset bucket, where the environment was bootstrapped with
            ``--bootstrap-customer-key``. None: it has none.

    Raises:
        ConfigError: If the spec is of Spark's kind, or for arm64.

    Source: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/docker-custom-images-managed-endpoint.html
    """

    kinds = (ImageKind.NOTEBOOK_SPARK, ImageKind.NOTEBOOK_PYTHON)
