"""A certificate that nobody has signed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet import ssl

if TYPE_CHECKING:
    from pathlib import Path

needs_tls = pytest.mark.skipif(
    [int(part) for part in version("twisted").split(".")[:2]] < [24, 10],
    reason="TLS servers of this Twisted break with the pyOpenSSL of today",
)


def self_signed(written_to: Path | None = None) -> ssl.CertificateOptions:
    """What a server at localhost needs to speak TLS, signed by itself.

    The certificate is *written_to* a file, for clients that are to trust it.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    if written_to is not None:
        written_to.write_bytes(public)
    options: ssl.CertificateOptions = ssl.PrivateCertificate.loadPEM(public + pem).options()
    return options
