"""Where it listens, and what it needs to listen there."""

from __future__ import annotations

import datetime as dt
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hactl.model.errors import HactlError, InputError
from hactl.model.serving import Serving
from hactl.web import door

SERVING = Serving("/nowhere.toml", "lab", "t" * 20)


def certified(folder: Path, *, password: bytes | None = None) -> tuple[str, str]:
    """A certificate for localhost that its own key has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    sealed = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed)
    )
    return str(folder / "cert.pem"), str(folder / "key.pem")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost"])
def test_loopback_needs_nothing_more(host: str) -> None:
    assert all(door.is_loopback(address) for address in door.addresses(replace(SERVING, host=host)))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7"])
@pytest.mark.parametrize(
    "given",
    [{}, {"given": True}, {"certificate": "c", "key": "k"}, {"given": True, "certificate": "c"}],
    ids=["nothing", "token", "tls", "token-and-half-of-tls"],
)
def test_anywhere_else_needs_a_token_and_tls(host: str, given: dict[str, object]) -> None:
    with pytest.raises(InputError, match="can be reached from other machines") as caught:
        door.addresses(replace(SERVING, host=host, **given))
    assert "--token-file, --cert and --key" in caught.value.remedy


def test_with_both_it_listens_anywhere() -> None:
    serving = replace(SERVING, host="0.0.0.0", given=True, certificate="c", key="k")
    assert door.addresses(serving) == ("0.0.0.0",)


def test_a_name_that_is_nowhere() -> None:
    with pytest.raises(InputError, match=r"no address 'no\.such\.name\.invalid'"):
        door.addresses(replace(SERVING, host="no.such.name.invalid"))


def test_every_address_has_the_same_port() -> None:
    sockets = door.opened(("127.0.0.1", "127.0.0.2"), 0)
    try:
        assert len({one.getsockname()[1] for one in sockets}) == 1
    finally:
        for one in sockets:
            one.close()


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(HactlError, match=rf"Port {port} of 127\.0\.0\.1 is in use") as caught:
            door.opened(("127.0.0.1",), port)
    assert "--port" in caught.value.remedy


def test_no_certificate_no_tls() -> None:
    assert door.tls(SERVING) is None


def test_a_certificate_and_its_key(tmp_path: Path) -> None:
    certificate, key = certified(tmp_path)
    assert door.tls(replace(SERVING, certificate=certificate, key=key)) is not None


@pytest.mark.parametrize("wrong", ["absent", "not a certificate", "another's key", "encrypted"])
def test_a_certificate_that_cannot_be_used(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "other").mkdir()
    certificate, key = certified(tmp_path, password=b"secret" if wrong == "encrypted" else None)
    if wrong == "absent":
        key = str(tmp_path / "none.pem")
    elif wrong == "not a certificate":
        Path(certificate).write_text("hello")
    elif wrong == "another's key":
        key = certified(tmp_path / "other")[1]
    with pytest.raises(InputError) as caught:
        door.tls(replace(SERVING, certificate=certificate, key=key))
    assert caught.value.remedy
    assert key in caught.value.message
