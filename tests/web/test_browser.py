"""The dashboard in a real browser: what it draws, what its keys do, who is let in, and that nothing leaves loopback."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.web.chromium import CHROMIUM, Chromium, Page, chromium
from tests.web.serving import Served, served

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: install chromium"),
    pytest.mark.timeout(600),
]

_WHY = "document.getElementById('why')?.textContent ?? ''"
_TEXT = "document.body.innerText"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("browser") / "profile") as browser:
        yield browser


@pytest.fixture
async def page(browser: Chromium) -> AsyncIterator[Page]:
    async with browser.page() as page:
        yield page


async def enter(page: Page, server: Served) -> None:
    await page.open(server.address)
    await page.wait_for("gone2", "unreachable")


def untroubled(page: Page) -> bool:
    """Nothing was refused by the page's policy, nothing failed, nothing was asked of anyone else."""
    return not page.elsewhere() and not [said for said in page.problems if "WebGL" not in said]


async def test_the_dashboard_is_drawn_and_heeds_keys(page: Page, tmp_path: Path) -> None:
    with served(tmp_path) as server:
        await enter(page, server)
        shown = await page.wait_for("findings", "nowhere", "READ-ONLY")
        assert "✖" in shown

        await page.press("2")
        await page.wait_for("nowhere > nodes")
        await page.press("Enter")
        await page.wait_for("nowhere > nodes > gone1")

        picture = await page.picture(tmp_path / "page.png")
        assert shades(picture) > 20  # letters on a ground, not one empty colour

        href = str(await page.evaluate("location.href"))
        assert "token" not in href
        assert await page.evaluate("document.cookie") == ""  # no script can read it
        assert any(url.startswith("ws://") for url in page.requests)
        assert untroubled(page), (page.problems, page.elsewhere())

        await page.press("q")
        await page.wait_for("The dashboard was left.", of=_WHY)
        await page.evaluate("document.getElementById('again').click()")
        await page.wait_for("gone2", "unreachable")


async def test_acting_needs_leave(page: Page, tmp_path: Path) -> None:
    with served(tmp_path) as server:
        await enter(page, server)
        await page.press("2")
        await page.wait_for("nowhere > nodes", "READ-ONLY")
        await page.press("D")
        assert "plan" not in await page.wait_for("read-only: nothing is done", "nowhere > nodes")
    with served(tmp_path, "--allow-acting") as server:
        await enter(page, server)
        await page.press("2")
        assert "READ-ONLY" not in await page.wait_for("nowhere > nodes")
        await page.press("D")
        await page.wait_for("nowhere > nodes > plan drain")


async def test_the_size_is_the_windows(page: Page, tmp_path: Path) -> None:
    with served(tmp_path) as server:
        await enter(page, server)
        before = await page.evaluate("window.caught.cols")
        await page.call("Emulation.setDeviceMetricsOverride", width=700, height=500, deviceScaleFactor=1, mobile=False)
        await page.wait_for("true", of=f"String(window.caught.cols < {before})")
        columns = int(str(await page.evaluate("window.caught.cols")))
        shown = await page.wait_for("gone2", "findings")
        assert max(map(len, shown.splitlines())) <= columns


async def test_without_the_token_there_is_a_form(page: Page, tmp_path: Path) -> None:
    with served(tmp_path) as server:
        await page.open(server.base + "?token=wrong")
        await page.wait_for("That is not the token.", of=_TEXT)
        assert await page.evaluate("performance.getEntriesByType('navigation')[0].responseStatus") == 403
        await page.evaluate(f"document.getElementById('token').value = '{server.token}'")
        await page.evaluate("document.forms[0].submit()")
        await page.wait_for("gone2", "unreachable")
        assert not page.elsewhere()


async def test_another_page_of_this_machine_gets_nothing(page: Page, tmp_path: Path) -> None:
    """A visitor who is logged in opens a page of another server on this machine: the same site, another origin."""
    (tmp_path / "other").mkdir()
    with served(tmp_path) as server, served(tmp_path / "other") as other:
        await enter(page, server)
        mine = str(await page.evaluate("location.href"))
        await page.open(other.base)
        await page.wait_for("token", of=_TEXT)
        await page.call("Page.setBypassCSP", enabled=True)  # another's page would not have our policy
        await page.open(other.base)
        await page.wait_for("token", of=_TEXT)
        socket = f"""new Promise((done) => {{
            const socket = new WebSocket({mine!r}.replace("http", "ws") + "ws?width=80&height=24");
            socket.onopen = () => done("open");
            socket.onerror = () => done("refused");
        }})"""
        assert await page.evaluate(socket) == "refused"
        read = f"fetch({mine!r}, {{credentials: 'include'}}).then((answer) => answer.status, () => 'refused')"
        assert await page.evaluate(read) == "refused"
        framed = f"""new Promise((done) => {{
            const frame = document.createElement("iframe");
            frame.onload = () => {{
                try {{ done(frame.contentDocument === null ? "refused" : frame.contentDocument.body.innerText); }}
                catch (error) {{ done("refused"); }}
            }};
            frame.src = {mine!r};
            document.body.append(frame);
        }})"""
        assert await page.evaluate(framed) == "refused"
        async with asyncio.timeout(20):
            while server.dashboards:  # the visitor has gone from there,
                await asyncio.sleep(0.1)
        assert server.log.read_text().count(": session for ") == 1  # and nobody came in his place


def shades(png: bytes) -> int:
    """How many different bytes a PNG's pixels are made of."""
    pixels, place = b"", 8
    while place < len(png):
        length, kind = int.from_bytes(png[place : place + 4], "big"), png[place + 4 : place + 8]
        if kind == b"IDAT":
            pixels += png[place + 8 : place + 8 + length]
        place += length + 12
    return len(set(zlib.decompress(pixels)))
