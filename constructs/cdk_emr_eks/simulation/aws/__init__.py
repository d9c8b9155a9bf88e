"""An AWS account on this machine: moto's services, and what they lack in front of them."""

from cdk_emr_eks.simulation.aws.emulated import AwsUnavailableError, EmulatedAws
from cdk_emr_eks.simulation.aws.prices import DEFAULT_SPOT_SHARE, Prices

__all__ = [
    "DEFAULT_SPOT_SHARE",
    "AwsUnavailableError",
    "EmulatedAws",
    "Prices",
]
