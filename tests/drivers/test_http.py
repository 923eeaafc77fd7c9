from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hactl.drivers import http
from hactl.drivers.probe import Asked, FetchProbe, HttpAnswer
from hactl.model.errors import ParseError
from hactl.model.facts import HttpFacts, VersionFacts
from hactl.model.inventory import HttpService, Node, SshSettings
from hactl.model.text import safe

NODE = Node("app1", "192.0.2.21", "east", ("app",), SshSettings())
NOW = Asked(0.0, 0.1)


def health(status: int, body: str = "", error: str = "", expected: int = 200) -> HttpFacts:
    return http.parse_health(expected, HttpAnswer(status, body, 1.5, error), NOW)


def test_health() -> None:
    assert health(200, "ok\nmore\n") == HttpFacts(200, 1.5, "ok", "", healthy=True)
    assert health(204, expected=204).healthy
    assert not health(200, expected=204).healthy
    assert health(503, "\n\n  database   gone  \n") == HttpFacts(503, 1.5, "database gone", "", healthy=False)
    assert health(0, error="connection refused") == HttpFacts(0, 1.5, "", "connection refused", healthy=False)
    assert health(0).error  # a service that says nothing has an error, whoever forgot to name it
    assert not health(200, "o", error="the answer was cut off").healthy


def test_a_huge_or_hostile_body_is_one_short_safe_line() -> None:
    assert len(health(200, "x" * 10**6).body) <= 200
    assert health(200, "a\x1b]52;c;x\x07b").body == "a␛]52;c;x␇b"


@pytest.mark.parametrize(
    ("body", "version"),
    [
        ("1.0.0\n", "1.0.0"),
        ("shop 1.2.0 (abc)\n", "1.2.0"),
        ('{"version": "1.1.0", "build": 7}', "1.1.0"),
        ('{"name": "shop", "version": "v2"}', "v2"),
        ('"1.0.0"', "1.0.0"),
        ("2", "2"),
        ("1.10", "1.10"),  # not the number 1.1
        ("nightly\n", "nightly"),
        ('{"version": "1.0\\u001b[2J"}', "1.0␛[2J"),
    ],
)
def test_version(body: str, version: str) -> None:
    assert http.parse_version(HttpAnswer(200, body, 1.0), NOW) == VersionFacts(version)


@pytest.mark.parametrize(
    "body",
    ["", "   \n\n", '{"name": "shop"}', '{"version": null}', '{"version": {"a": 1}}', "x" * 100, "null", "[" * 9999],
)
def test_no_version(body: str) -> None:
    with pytest.raises(ParseError, match="names no version"):
        http.parse_version(HttpAnswer(200, body, 1.0), NOW)


@pytest.mark.parametrize(("status", "error"), [(404, ""), (0, "connection refused"), (200, "cut off")])
def test_no_answer_is_no_version(status: int, error: str) -> None:
    with pytest.raises(ParseError):
        http.parse_version(HttpAnswer(status, "1.0.0", 1.0, error), NOW)


@given(st.text(max_size=200))
def test_any_body(body: str) -> None:
    answer = HttpAnswer(200, body, 1.0)
    assert safe(http.parse_health(200, answer, NOW).body) == http.parse_health(200, answer, NOW).body
    try:
        version = http.parse_version(answer, NOW).version
    except ParseError:
        return
    assert version == safe(version)
    assert 0 < len(version) <= 100


def test_probes() -> None:
    plain = HttpService("shop", ("app1",), (), 1, port=8080, health="/healthz")
    assert http.version(plain, NODE) is None
    probe = http.health(plain, NODE)
    assert (probe.key, probe.port, probe.path, probe.host) == ("http:shop", 8080, "/healthz", "192.0.2.21")
    named = HttpService("shop", ("app1",), (), 1, host="shop.example", version_path="/version")
    version = http.version(named, NODE)
    assert isinstance(version, FetchProbe)
    assert (version.key, version.path, version.host) == ("version:shop", "/version", "shop.example")
