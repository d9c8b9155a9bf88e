"""Create keys, certificates and tokens for one control plane."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["ADMIN", "Credentials", "make_credentials", "write_kubeconfig"]

# User of the administrator's token, in the group ``system:masters``.
ADMIN: Final = "simulation"

_LIFETIME: Final = datetime.timedelta(days=30)
_SLACK: Final = datetime.timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """Credential files of one control plane; only their owner can read them.

    Args:
        token: Bearer token of the user ``simulation``.
        tokens: Token file of the API server.
        service_account_key: Private key for tokens of service accounts.
        authority: Certificate of the authority.
        certificate: Certificate of the API server, for 127.0.0.1 and localhost.
        key: Private key of the API server.
    """

    token: str
    tokens: Path
    service_account_key: Path
    authority: Path
    certificate: Path
    key: Path

    @property
    def ca_bundle(self) -> str:
        """Certificate of the authority in the form of EKS: PEM in base64."""
        return base64.b64encode(self.authority.read_bytes()).decode("ascii")


def make_credentials(directory: Path) -> Credentials:
    """Create keys, certificates and a token in a folder."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = secrets.token_hex(24)
    files = Credentials(
        token=token,
        tokens=directory / "tokens.csv",
        service_account_key=directory / "service-accounts.key",
        authority=directory / "authority.crt",
        certificate=directory / "server.crt",
        key=directory / "server.key",
    )
    _write(files.tokens, f"{token},{ADMIN},{ADMIN},system:masters\n".encode())
    _write(files.service_account_key, _pem(ec.generate_private_key(ec.SECP256R1())))
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key)
    _write(files.authority, authority.public_bytes(serialization.Encoding.PEM))
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _server(key, authority, authority_key)
    _write(files.certificate, certificate.public_bytes(serialization.Encoding.PEM))
    _write(files.key, _pem(key))
    return files


def write_kubeconfig(path: Path, *, server: str, authority: Path, token: str) -> Path:
    """Write a kubeconfig for one token and return its path."""
    name = "simulation"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": name, "cluster": {"server": server, "certificate-authority": str(authority)}}
        ],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    _write(path, yaml.safe_dump(config).encode())
    return path


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("simulation-authority")
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = _certificate(name, name, key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())


def _server(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = _certificate(_name("kube-apiserver"), authority.subject, key.public_key())
    builder = builder.add_extension(names, critical=False).add_extension(usage, critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return builder.add_extension(identifier, critical=False).sign(authority_key, hashes.SHA256())


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
