"""An AWS account on this machine: moto's services, and what they lack in front of them."""

from cdk_emr_eks.simulation.aws.emulated import AwsUnavailableError, EmulatedAws
from cdk_emr_eks.simulation.aws.prices import Prices

__all__ = [
    "AwsUnavailableError",
    "EmulatedAws",
    "Prices",
]
