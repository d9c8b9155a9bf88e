"""The program that serves the emulated AWS: ``python -m cdk_emr_eks.simulation.aws.server``.

A process of its own, since moto keeps its accounts in global state: each simulation begins with an
empty account, and another one in the same process has its own. It ends when its standard input
does, so that it cannot outlive the process that started it, however that one ends.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast
from urllib.parse import parse_qsl

from cdk_emr_eks.simulation.aws import answers
from cdk_emr_eks.simulation.aws.answers import Answer, State
from cdk_emr_eks.simulation.aws.prices import read_prices

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONTROL: Final = "/_simulation/state"
"""Path by which the simulation tells the layer what only it knows."""

_Headers: TypeAlias = list[tuple[str, str]]
_CLUSTER: Final = re.compile(r"/clusters/[^/]+")


class Layer:
    """Answers what moto lacks, and hands everything else to moto.

    Args:
        application: Moto's application.
        state: What the layer knows.
    """

    def __init__(self, application: WSGIApplication, state: State) -> None:
        self._moto = application
        self._state = state

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if self._state.families and b"Action=DescribeInstanceTypes&" in body + b"&":
            body = self._narrowed(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)
        path = environ.get("PATH_INFO", "")
        if path == CONTROL:
            answer: Answer | None = self._told(json.loads(body))
        else:
            answer = self._answer(environ.get("HTTP_X_AMZ_TARGET", ""), body)
        if answer is not None:
            content = answer.body.encode()
            _start(start, answer.status, answer.content_type, content)
            return [content]
        if environ["REQUEST_METHOD"] == "GET" and _CLUSTER.fullmatch(path):
            return self._cluster(environ, start)
        return self._moto(environ, start)

    def _narrowed(self, body: bytes) -> bytes:
        named = _asked(parse_qsl(body.decode()), "InstanceType", "instance-type")
        return body if named else answers.narrowed(self._state, body)

    def _told(self, content: dict[str, object]) -> Answer:
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
                return answers.price_list(self._state, json.loads(body))
            case "GetParameter":
                return answers.parameter(str(json.loads(body).get("Name")))
        if target or b"Action=" not in body:
            return None
        form = parse_qsl(body.decode())
        match dict(form).get("Action"):
            case "DescribeImages":
                return answers.images(_asked(form, "ImageId", "image-id"))
            case "DescribeSpotPriceHistory":
                return answers.spot_prices(
                    self._state, _asked(form, "InstanceType", "instance-type")
                )
            case "DescribePlacementGroups":
                return answers.ec2("DescribePlacementGroups", "<placementGroupSet/>")
        return None

    def _cluster(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        said: dict[str, object] = {"status": "500 moto said nothing", "headers": []}

        def keep(line: str, headers: _Headers, *_: object) -> Callable[[bytes], object]:
            # The kind of an error stands in a header.
            said["headers"] = [pair for pair in headers if pair[0].lower() != "content-length"]
            said["status"] = line
            return lambda _: None

        content = answers.cluster(self._state, b"".join(self._moto(environ, keep)))
        length = ("Content-Length", str(len(content)))
        start(str(said["status"]), [*cast(_Headers, said["headers"]), length])
        return [content]


def _start(start: StartResponse, status: str, kind: str, content: bytes) -> None:
    start(status, [("Content-Type", kind), ("Content-Length", str(len(content)))])


def _asked(form: list[tuple[str, str]], argument: str, filter_name: str) -> list[str]:
    """Return the values of a list argument and of the filter of the same meaning."""
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
    # Read by moto when it is imported.
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Log what failed; the rest is thousands of lines."""
            if str(code) >= "400":
                super().log_request(code, size)

    state = State(prices=read_prices(arguments.prices, arguments.spot_share))
    layer = Layer(DomainDispatcherApplication(create_backend_app), state)
    server = make_server("127.0.0.1", 0, layer, threaded=True, request_handler=Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()

    def end_with_parent() -> None:
        sys.stdin.buffer.read()
        # Not shutdown(): a queue's long poll would hold it for 20 seconds.
        os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
