"""The kinds of value that a file's keys hold, as types for pydantic; what only inventories hold is checked here too.

A check either returns the value or raises ValueError with a sentence that reads after "KEY: ". Nothing here knows which
key it serves.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from hactl.model.suggest import nearest, quoted
from hactl.model.values import NAME, duration, filled, package, remote_path, text, unit

RESERVED = frozenset({"all", "none", "localhost", "ungrouped"})
PLACEHOLDERS = ("cluster", "node")

_MINUTE = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+")
_REPOSITORY = re.compile(r"[A-Za-z0-9_.:/@%+-]+")
_OS_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


def name(value: str) -> str:
    """A name that can stand in --limit, a file name, an ansible group and a sentence without quotes."""
    if not value:
        raise ValueError("must not be empty")
    if value in RESERVED:
        raise ValueError(f"{quoted(value)} has a meaning of its own in hactl, ssh or ansible; choose another name")
    if not NAME.fullmatch(value):
        plain = unicodedata.normalize("NFKD", value.lower()).encode("ascii", "ignore").decode()
        lower = re.sub(r"[^a-z0-9._-]+", "-", plain).strip("-._")[:63]
        hint = f'; did you mean "{lower}"?' if lower and lower not in RESERVED else ""
        raise ValueError(
            f"{quoted(value)} is not a name: a to z, 0 to 9, and inside also . _ - (at most 63 characters){hint}"
        )
    return value


def address(value: str) -> str:
    """An IP address or a host name."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return _host_name(value)
    return value


def ip_address(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        hint = "; leave the prefix length away" if "/" in value else ""
        raise ValueError(f"{quoted(value)} is not an IP address{hint}") from None
    return value


def _host_name(value: str) -> str:
    labels = value.removesuffix(".").split(".")
    if all(label.isdigit() for label in labels):
        raise ValueError(f"{quoted(value)} is not an IP address")
    if len(value) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{quoted(value)} is neither an IP address nor a host name{_address_hint(value)}")
    return value


def _address_hint(value: str) -> str:
    if "@" in value:
        return '; the user goes into ssh = { user = "..." }'
    if re.fullmatch(r"[^:]+:\d+", value):
        return "; the port goes into ssh = { port = ... }"
    if "/" in value:
        return "; leave the prefix length away"
    return ""


def local_path(value: str) -> str:
    """A path on this machine; may start with ~, may be relative to the inventory, may hold {cluster} and {node}."""
    filled(value)
    for held in re.findall(r"\{([^{}]*)\}", value):
        if held not in PLACEHOLDERS:
            found = nearest(held, PLACEHOLDERS)
            hint = f'; did you mean "{{{found}}}"?' if found else ""
            raise ValueError(f"{quoted('{' + held + '}')} stands for nothing; known are {{cluster}} and {{node}}{hint}")
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", value)):
        raise ValueError(f"{quoted(value)} has a brace without its partner")
    return value


def known_hosts(value: str) -> str:
    if value in {"none", "/dev/null"}:
        raise ValueError("host keys are always checked; name the file that holds them")
    return local_path(value)


def plain_path(value: str) -> str:
    """A path on a node that means the same in a sudo rule, a pattern and a configuration file."""
    if not _PLAIN_PATH.fullmatch(remote_path(value)):
        raise ValueError(f"{quoted(value)} must be made of letters, digits, _ . - and / alone, and not end with /")
    return value


def os_user(value: str) -> str:
    if not _OS_USER.fullmatch(value):
        raise ValueError(f"{quoted(value)} is no user's name")
    return value


def restic_repository(value: str) -> str:
    """A repository as restic spells it, in words that a sudo rule can hold; {node} may stand in it. No secret does."""
    plain = filled(value).replace("{node}", "")
    if not _REPOSITORY.fullmatch(plain):
        raise ValueError(f"{quoted(value)} must be made of letters, digits and _ . : / @ % + - alone, and of {{node}}")
    if re.search(r"//[^/@]*:[^/@]*@", value):
        raise ValueError(
            "a password must not stand here: everybody on the node could read it; restic reads it elsewhere"
        )
    if plain.startswith("-"):
        raise ValueError(f"{quoted(value)} would be taken for an option")
    return value


def url_path(value: str) -> str:
    if not filled(value).startswith("/") or " " in value:
        raise ValueError(f'{quoted(value)} must be a path that starts with "/" and holds no blanks')
    return value


def http_url(value: str) -> str:
    """Where a prober sends its requests, as a browser would write it."""
    if not filled(value).isascii() or re.search(r"[\s\"<>\\^`{|}]", value):
        raise ValueError(f"{quoted(value)} holds a character that an address must escape")
    parts = urlsplit(value)
    if parts.scheme == "https":
        raise ValueError(f"{quoted(value)}: a run's prober speaks plain http; name an http address of the service")
    if parts.scheme != "http":
        raise ValueError(f"{quoted(value)} is no http address; write http://HOST/PATH")
    if parts.username is not None or parts.fragment:
        raise ValueError(f"{quoted(value)} must hold neither a user nor a fragment (#)")
    try:
        address(parts.hostname or "")
        port_is_sound = parts.port is None or parts.port > 0
    except ValueError:
        port_is_sound = False
    if not port_is_sound:
        raise ValueError(f"{quoted(value)} needs a host, and a port of 1 to 65535 where it names one")
    return value


def minute(value: str) -> str:
    if not _MINUTE.fullmatch(value):
        raise ValueError(f'{quoted(value)} is not a time of day; write "02:00", in UTC')
    return value


def _one_or_more(value: object) -> object:
    if not isinstance(value, str | list):
        raise ValueError("must be a string or an array of strings")  # noqa: TRY004 - what pydantic collects
    return [value] if isinstance(value, str) else value


def _duration(value: object) -> object:
    return duration(value) if isinstance(value, str) else value


def _no_level(value: object) -> object:
    if isinstance(value, str) and value != "off":
        raise ValueError(f'{quoted(value)} is not a level; write a number, or "off"')
    return None if value == "off" else value


_STRINGS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}

Text: TypeAlias = Annotated[str, AfterValidator(text)]
Filled: TypeAlias = Annotated[str, AfterValidator(filled), Field(json_schema_extra={"minLength": 1})]
Name: TypeAlias = Annotated[str, AfterValidator(name), Field(json_schema_extra={"pattern": f"^{NAME.pattern}$"})]
Ref: TypeAlias = Filled  # the name of something else; whether it exists is for `check` to say
Address: TypeAlias = Annotated[str, AfterValidator(address)]
IpAddress: TypeAlias = Annotated[str, AfterValidator(ip_address)]
Unit: TypeAlias = Annotated[str, AfterValidator(unit)]
Package: TypeAlias = Annotated[str, AfterValidator(package)]
RemotePath: TypeAlias = Annotated[str, AfterValidator(remote_path), Field(json_schema_extra={"pattern": "^/"})]
PlainPath: TypeAlias = Annotated[
    str, AfterValidator(plain_path), Field(json_schema_extra={"pattern": f"^{_PLAIN_PATH.pattern}$"})
]
OsUser: TypeAlias = Annotated[
    str, AfterValidator(os_user), Field(json_schema_extra={"pattern": f"^{_OS_USER.pattern}$"})
]
ResticRepository: TypeAlias = Annotated[
    str, AfterValidator(restic_repository), Field(json_schema_extra={"minLength": 1})
]
LocalPath: TypeAlias = Annotated[str, AfterValidator(local_path)]
UrlPath: TypeAlias = Annotated[str, AfterValidator(url_path), Field(json_schema_extra={"pattern": "^/"})]
HttpUrl: TypeAlias = Annotated[str, AfterValidator(http_url), Field(json_schema_extra={"pattern": "^http://"})]
Minute: TypeAlias = Annotated[
    str, AfterValidator(minute), Field(json_schema_extra={"pattern": f"^({_MINUTE.pattern})$"})
]
LocalPaths: TypeAlias = Annotated[list[LocalPath], BeforeValidator(_one_or_more), WithJsonSchema(_STRINGS)]
KnownHosts: TypeAlias = Annotated[
    list[Annotated[str, AfterValidator(known_hosts)]], BeforeValidator(_one_or_more), WithJsonSchema(_STRINGS)
]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65535)]
Seconds: TypeAlias = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]
Duration: TypeAlias = Annotated[
    float,
    BeforeValidator(_duration),
    Field(gt=0, allow_inf_nan=False),
    WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string"}]}),
]
Level: TypeAlias = Annotated[
    Annotated[float, Field(ge=0, allow_inf_nan=False)] | None,
    BeforeValidator(_no_level),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"const": "off"}]}),
]
