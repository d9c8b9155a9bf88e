"""An emulated AWS account on this machine: moto, and APIs that moto does not have."""

from cdk_emr_eks.simulation.aws.emulated import AwsUnavailableError, EmulatedAws
from cdk_emr_eks.simulation.prices import Prices

__all__ = [
    "AwsUnavailableError",
    "EmulatedAws",
    "Prices",
]
