"""Where the server listens: sockets and TLS. Decides that nothing but loopback is open without a token and TLS."""

from __future__ import annotations

import errno
import ipaddress
import socket
import ssl
from collections.abc import Sequence

from hactl.model.errors import HactlError, InputError
from hactl.model.serving import Serving

_BACKLOG = 16  # connections that wait to be taken: a browser opens some six


def addresses(serving: Serving) -> tuple[str, ...]:
    """The addresses to listen on. Raises InputError when one can be reached from elsewhere and is not protected.

    A name is looked up once, and what was found is what is listened on: it cannot turn into something else after the
    check.
    """
    try:
        found = socket.getaddrinfo(
            serving.host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_ADDRCONFIG
        )
    except OSError as error:
        raise InputError(f"There is no address {serving.host!r} to listen on: {error.strerror}.") from error
    hosts = tuple(dict.fromkeys(str(address[0]) for *_, address in found))
    if not all(is_loopback(host) for host in hosts) and not (serving.tls and serving.given):
        raise InputError(
            f"{serving.host} can be reached from other machines: a token and TLS are needed there.",
            remedy="Give --token-file, --cert and --key; or keep to 127.0.0.1 and come through `ssh -L`.",
        )
    return hosts


def is_loopback(host: str) -> bool:
    """Whether an address in digits is this machine's own."""
    return ipaddress.ip_address(host.partition("%")[0]).is_loopback


def opened(hosts: Sequence[str], port: int) -> tuple[socket.socket, ...]:
    """A listening socket for each address, all on one port; 0 is any free one. Raises HactlError when one is taken."""
    sockets: list[socket.socket] = []
    try:
        for host in hosts:
            taken = sockets[0].getsockname()[1] if sockets else port
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            sockets.append(socket.create_server((host, taken), family=family, backlog=_BACKLOG))
    except OSError as error:
        for one in sockets:
            one.close()
        raise _not_opened(error, host, taken) from error
    return tuple(sockets)


def _not_opened(error: OSError, host: str, port: int) -> HactlError:
    if error.errno == errno.EADDRINUSE:
        return HactlError(
            f"Port {port} of {host} is in use by another program.",
            remedy="Choose another with --port, or 0 for any that is free.",
        )
    if error.errno == errno.EACCES:
        return HactlError(f"Port {port} of {host} may not be used: {error.strerror}.", remedy="Choose one above 1023.")
    return HactlError(f"Port {port} of {host} cannot be listened on: {error.strerror}.")


def tls(serving: Serving) -> ssl.SSLContext | None:
    """None without a certificate. Raises InputError when certificate and key cannot be used."""
    if serving.certificate is None or serving.key is None:
        return None

    def no_password() -> str:
        raise InputError(f"The key {serving.key} is encrypted.", remedy="Give one that is not, readable by you alone.")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(serving.certificate, serving.key, no_password)
    except (OSError, ValueError) as error:  # SSLError is an OSError
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(
            f"Certificate {serving.certificate} and key {serving.key} cannot be used: {said}.",
            remedy="Both are PEM files; the key must be the certificate's.",
        ) from error
    return context


def machine_names() -> tuple[str, ...]:
    """What this machine calls itself."""
    return (socket.gethostname(), socket.getfqdn())


def spoken(serving: Serving) -> str:
    """The host of the address that is told to the operator."""
    if serving.names:
        return serving.names[0]
    if is_wildcard(serving.host):
        return machine_names()[0]
    return f"[{serving.host}]" if ":" in serving.host else serving.host


def is_wildcard(host: str) -> bool:
    """Whether it means every address of this machine."""
    return host in {"", "0.0.0.0", "::"}  # noqa: S104 - compared, not listened on
