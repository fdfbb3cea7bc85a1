"""Which names a server may be called by: a page on the Internet must not get at it by a name of its own.

DNS rebinding: the name evil.example first stands for the attacker's machine, then for 127.0.0.1, and a browser takes
both for the same origin. The Host header still says evil.example.
"""

import socket
from ipaddress import ip_address

from cnnlab.errors import UserError


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there.

    Raises:
        UserError: it is no address, nor a name that stands for one.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UserError(
            f"serve host={host}: it is no address of this machine. Leave it out, or take 0.0.0.0"
        ) from error
    return all(ip_address(str(where[0]).partition("%")[0]).is_loopback for *_, where in found)


def name_of(header: str) -> str:
    """Of a Host header: 'localhost' of 'LocalHost:8000', '::1' of '[::1]:8000'."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0].rstrip(".").lower()


def may_be_called(header: str, host: str, loopback: bool) -> bool:
    """Whether a request with this Host header is for us: by the name that was typed, or by an address, which cannot be
    rebound; by one of the loopback where nothing else listens.
    """
    name = name_of(header)
    names = {"localhost", host.lower()} if loopback else {"localhost", host.lower(), socket.gethostname().lower()}
    try:
        address = ip_address(name)
    except ValueError:
        return name in names
    return address.is_loopback or not loopback
