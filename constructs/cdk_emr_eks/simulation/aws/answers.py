"""Answers of AWS APIs that moto has not, each as Karpenter reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from cdk_emr_eks.simulation.aws.prices import Prices

IMAGES: Final = {"x86_64": "ami-00000000000000086", "arm64": "ami-00000000000000064"}
"""The machine image of each architecture. There is one for all releases and versions."""

_DATE: Final = "2026-01-01T00:00:00.000Z"
_EC2: Final = "http://ec2.amazonaws.com/doc/2016-11-15/"
_IMAGE_PATHS: Final = (
    "/aws/service/eks/optimized-ami/",
    "/aws/service/bottlerocket/aws-k8s-",
)


@dataclass(kw_only=True, slots=True)
class State:
    """What the layer knows of the account.

    Args:
        prices: Price table.
        zones: Names of the Region's zones.
        endpoint: URL of the control plane that stands for every EKS cluster.
        authority: Its certificate authority, PEM in base64.
        families: Families of instance types that there are; none for all.
    """

    prices: Prices
    zones: tuple[str, ...] = ()
    endpoint: str = ""
    authority: str = ""
    families: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An HTTP answer.

    Args:
        content_type: Its media type.
        body: Its text.
        status: Its status line.
    """

    content_type: str
    body: str
    status: str = "200 OK"


def price_list(state: State, request: Mapping[str, object]) -> Answer:
    """Answer Pricing's GetProducts: on-demand prices, metal sizes apart from others."""
    filters = json.dumps(request.get("Filters", []))
    metal = "bare metal" in filters
    products = [
        json.dumps(
            {
                "product": {"attributes": {"instanceType": name}},
                "terms": {
                    "OnDemand": {
                        "term": {"priceDimensions": {"hour": {"pricePerUnit": {"USD": str(price)}}}}
                    }
                },
            }
        )
        for name, price in state.prices.on_demand.items()
        if ("metal" in name) == metal
    ]
    return _json({"FormatVersion": "aws_v1", "PriceList": products})


def parameter(name: str) -> Answer | None:
    """Answer SSM's GetParameter for a public image parameter; None for any other parameter.

    Only plain images are there: were the image with NVIDIA's drivers the same, Karpenter would find
    every type fit for it and so none for the plain one.
    """
    if not name.startswith(_IMAGE_PATHS):
        return None
    plain = "/standard/" in name if name.startswith(_IMAGE_PATHS[0]) else "-nvidia" not in name
    if not plain:
        error = {"__type": "ParameterNotFound", "message": f"{name} is not simulated"}
        return _json(error, status="400 Bad Request")
    image = IMAGES["arm64" if "arm64" in name else "x86_64"]
    return _json(
        {
            "Parameter": {
                "Name": name,
                "Type": "String",
                "Value": image,
                "Version": 1,
                "ARN": f"arn:aws:ssm:::parameter{name}",
                "DataType": "text",
            }
        }
    )


def images(wanted: Iterable[str]) -> Answer:
    """Answer EC2's DescribeImages: the two images, or those of them that are asked for."""
    ids = set(wanted)
    items = "".join(
        f"<item><imageId>{image}</imageId><imageState>available</imageState>"
        f"<imageOwnerId>602401143452</imageOwnerId><imageOwnerAlias>amazon</imageOwnerAlias>"
        f"<isPublic>true</isPublic><architecture>{architecture}</architecture>"
        f"<imageType>machine</imageType><name>simulated-eks-node-{architecture}</name>"
        f"<rootDeviceType>ebs</rootDeviceType><rootDeviceName>/dev/xvda</rootDeviceName>"
        f"<virtualizationType>hvm</virtualizationType><creationDate>{_DATE}</creationDate></item>"
        for architecture, image in IMAGES.items()
        if not ids or image in ids
    )
    return ec2("DescribeImages", f"<imagesSet>{items}</imagesSet>")


def spot_prices(state: State, wanted: Iterable[str]) -> Answer:
    """Answer EC2's DescribeSpotPriceHistory: one price for each type and zone."""
    types = set(wanted)
    items = "".join(
        f"<item><instanceType>{name}</instanceType><timestamp>{_DATE}</timestamp>"
        f"<productDescription>Linux/UNIX</productDescription>"
        f"<spotPrice>{state.prices.hourly(name, 'spot'):.6f}</spotPrice>"
        f"<availabilityZone>{escape(zone)}</availabilityZone></item>"
        for name in state.prices.on_demand
        if not types or name in types
        for zone in state.zones
    )
    return ec2("DescribeSpotPriceHistory", f"<spotPriceHistorySet>{items}</spotPriceHistorySet>")


def narrowed(state: State, body: bytes) -> bytes:
    """Return a request for all instance types as one for those of the families that there are."""
    name = f"Filter.{len(re.findall(rb'(?:^|&)Filter[.][0-9]+[.]Name=', body)) + 1}"
    wanted = {f"{name}.Name": "instance-type"}
    for number, family in enumerate(state.families, start=1):
        wanted[f"{name}.Value.{number}"] = f"{family}.*"
    return body + b"&" + urlencode(wanted).encode()


def cluster(state: State, body: bytes) -> bytes:
    """Put the real control plane's address into moto's answer to EKS's DescribeCluster."""
    content = json.loads(body)
    if "cluster" not in content or not state.endpoint:
        return body
    content["cluster"]["endpoint"] = state.endpoint
    content["cluster"]["certificateAuthority"] = {"data": state.authority}
    return json.dumps(content).encode()


def ec2(action: str, content: str) -> Answer:
    """Return EC2's answer to an action."""
    head = f'<?xml version="1.0"?><{action}Response xmlns="{_EC2}">'
    body = f"{head}<requestId>simulated</requestId>{content}</{action}Response>"
    return Answer(content_type="text/xml", body=body)


def _json(content: Mapping[str, object], status: str = "200 OK") -> Answer:
    return Answer(
        content_type="application/x-amz-json-1.1", body=json.dumps(content), status=status
    )
