"""Serve the emulated AWS: ``python -m cdk_emr_eks.simulation.aws.server``.

Moto serves most APIs, and this module serves those that moto does not have. The server is a
separate process, since moto keeps its accounts in global state: each simulation starts with an
empty account. It ends when its standard input ends, so it never outlives the process that started
it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast
from urllib.parse import parse_qsl, urlencode
from xml.sax.saxutils import escape

from cdk_emr_eks.simulation.prices import Prices, read_prices

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


# Path by which the simulation sets the state of the server.
CONTROL: Final = "/_simulation/state"

_Headers: TypeAlias = list[tuple[str, str]]
_CLUSTER: Final = re.compile(r"/clusters/[^/]+")
# The machine image of each architecture. It is the same for all releases and versions.
IMAGES: Final = {"x86_64": "ami-00000000000000086", "arm64": "ami-00000000000000064"}

_DATE: Final = "2026-01-01T00:00:00.000Z"
_EC2: Final = "http://ec2.amazonaws.com/doc/2016-11-15/"
_IMAGE_PATHS: Final = (
    "/aws/service/eks/optimized-ami/",
    "/aws/service/bottlerocket/aws-k8s-",
)


@dataclass(kw_only=True, slots=True)
class State:
    """State of the account that moto does not have.

    Args:
        prices: Price table.
        zones: Names of the zones of the Region.
        endpoint: URL of the control plane that replaces every EKS cluster.
        authority: Certificate authority of the control plane, PEM in base64.
        families: Families of instance types that EC2 offers; empty for all.
    """

    prices: Prices
    zones: tuple[str, ...] = ()
    endpoint: str = ""
    authority: str = ""
    families: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An HTTP response.

    Args:
        content_type: Media type.
        body: Text.
        status: Status line.
    """

    content_type: str
    body: str
    status: str = "200 OK"


def _price_list(state: State, request: Mapping[str, object]) -> Answer:
    """Respond to GetProducts of Pricing: on-demand prices; metal sizes are a separate request."""
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


def _image_parameter(name: str) -> Answer | None:
    """Respond to GetParameter of SSM for a public image parameter; None for other parameters.

    Only standard images exist. If the image with NVIDIA drivers were the same image, Karpenter
    would use it for every instance type.
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


def _images(wanted: Iterable[str]) -> Answer:
    """Respond to DescribeImages of EC2: both images, or those of the request."""
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
    return _ec2_response("DescribeImages", f"<imagesSet>{items}</imagesSet>")


def _spot_prices(state: State, wanted: Iterable[str]) -> Answer:
    """Respond to DescribeSpotPriceHistory of EC2: one price for each type and zone."""
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
    return _ec2_response(
        "DescribeSpotPriceHistory", f"<spotPriceHistorySet>{items}</spotPriceHistorySet>"
    )


def _restrict_to_families(state: State, body: bytes) -> bytes:
    """Return a request for all instance types as a request for those of the offered families."""
    name = f"Filter.{len(re.findall(rb'(?:^|&)Filter[.][0-9]+[.]Name=', body)) + 1}"
    wanted = {f"{name}.Name": "instance-type"}
    for number, family in enumerate(state.families, start=1):
        wanted[f"{name}.Value.{number}"] = f"{family}.*"
    return body + b"&" + urlencode(wanted).encode()


def _with_control_plane(state: State, body: bytes) -> bytes:
    """Add the control plane's address to moto's response to DescribeCluster of EKS."""
    content = json.loads(body)
    if "cluster" not in content or not state.endpoint:
        return body
    content["cluster"]["endpoint"] = state.endpoint
    content["cluster"]["certificateAuthority"] = {"data": state.authority}
    return json.dumps(content).encode()


def _ec2_response(action: str, content: str) -> Answer:
    """Return a response of EC2."""
    head = f'<?xml version="1.0"?><{action}Response xmlns="{_EC2}">'
    body = f"{head}<requestId>simulated</requestId>{content}</{action}Response>"
    return Answer(content_type="text/xml", body=body)


def _json(content: Mapping[str, object], status: str = "200 OK") -> Answer:
    return Answer(
        content_type="application/x-amz-json-1.1", body=json.dumps(content), status=status
    )


# ---- server


class MotoExtension:
    """Serves the APIs that moto does not have, and passes other requests to moto.

    Args:
        application: Moto's application.
        state: State of the account.
    """

    def __init__(self, application: WSGIApplication, state: State) -> None:
        self._moto = application
        self._state = state

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if self._state.families and b"Action=DescribeInstanceTypes&" in body + b"&":
            body = self._restrict(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)
        path = environ.get("PATH_INFO", "")
        if path == CONTROL:
            answer: Answer | None = self._set_state(json.loads(body))
        else:
            answer = self._answer(environ.get("HTTP_X_AMZ_TARGET", ""), body)
        if answer is not None:
            content = answer.body.encode()
            _start(start, answer.status, answer.content_type, content)
            return [content]
        if environ["REQUEST_METHOD"] == "GET" and _CLUSTER.fullmatch(path):
            return self._cluster(environ, start)
        return self._moto(environ, start)

    def _restrict(self, body: bytes) -> bytes:
        named = _requested(parse_qsl(body.decode()), "InstanceType", "instance-type")
        return body if named else _restrict_to_families(self._state, body)

    def _set_state(self, content: dict[str, object]) -> Answer:
        zones = content.get("zones")
        if isinstance(zones, list):
            self._state.zones = tuple(str(zone) for zone in zones)
        families = content.get("families")
        if isinstance(families, list):
            self._state.families = tuple(str(family) for family in families)
        if "endpoint" in content:
            self._state.endpoint = str(content["endpoint"])
            self._state.authority = str(content["authority"])
        return Answer(content_type="application/json", body="{}")

    def _answer(self, target: str, body: bytes) -> Answer | None:
        match target.rpartition(".")[2]:
            case "GetProducts":
                return _price_list(self._state, json.loads(body))
            case "GetParameter":
                return _image_parameter(str(json.loads(body).get("Name")))
        if target or b"Action=" not in body:
            return None
        form = parse_qsl(body.decode())
        match dict(form).get("Action"):
            case "DescribeImages":
                return _images(_requested(form, "ImageId", "image-id"))
            case "DescribeSpotPriceHistory":
                return _spot_prices(self._state, _requested(form, "InstanceType", "instance-type"))
            case "DescribePlacementGroups":
                return _ec2_response("DescribePlacementGroups", "<placementGroupSet/>")
        return None

    def _cluster(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        kept: dict[str, object] = {"status": "500 moto sent no status", "headers": []}

        def keep(line: str, headers: _Headers, *_: object) -> Callable[[bytes], object]:
            # A header has the type of an error.
            kept["headers"] = [pair for pair in headers if pair[0].lower() != "content-length"]
            kept["status"] = line
            return lambda _: None

        content = _with_control_plane(self._state, b"".join(self._moto(environ, keep)))
        length = ("Content-Length", str(len(content)))
        start(str(kept["status"]), [*cast(_Headers, kept["headers"]), length])
        return [content]


def _start(start: StartResponse, status: str, kind: str, content: bytes) -> None:
    start(status, [("Content-Type", kind), ("Content-Length", str(len(content)))])


def _requested(form: list[tuple[str, str]], argument: str, filter_name: str) -> list[str]:
    """Return the values of a list argument and of the filter with the same meaning."""
    values = [value for key, value in form if re.fullmatch(rf"{argument}\.\d+", key)]
    for key, value in form:
        if key.endswith(".Name") and value == filter_name:
            prefix = f"{key.removesuffix('Name')}Value."
            values += [value for key, value in form if key.startswith(prefix)]
    return values


def main() -> None:
    """Serve until standard input ends; the port is the first line on standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--prices", type=Path, required=True)
    parser.add_argument("--spot-share", type=float, required=True)
    arguments = parser.parse_args()
    # Moto reads them when it is imported.
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Log only failed requests; the others are thousands of lines."""
            if str(code) >= "400":
                super().log_request(code, size)

    state = State(prices=read_prices(arguments.prices, arguments.spot_share))
    application = MotoExtension(DomainDispatcherApplication(create_backend_app), state)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()

    def end_with_parent() -> None:
        sys.stdin.buffer.read()
        # Not shutdown(), which waits up to 20 seconds for a long poll of a queue.
        os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
