"""Names that CloudFormation makes up for resources without one."""

from __future__ import annotations

import base64
import hashlib

from cdk_emr_eks.simulation.deploy.outcome import Request


def physical_name(request: Request, longest: int = 64) -> str:
    """Return stack, logical id and twelve characters, cut to ``longest`` as CloudFormation does.

    The same in each simulation, so that two reports can be compared.
    """
    digest = hashlib.sha256(f"{request.stack}/{request.logical_id}".encode()).digest()
    end = base64.b32encode(digest).decode()[:12]
    return f"{request.stack}-{request.logical_id}"[: longest - 13] + f"-{end}"
