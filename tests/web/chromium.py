"""A real headless Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_OPTIONS = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-3d-apis",  # drawn by software they take all of a small machine
    "--disable-gpu",
    "--disable-sync",
)
_STARTS_WITHIN = 120.0  # seconds; the machine may be busy

# The page's script keeps its terminal to itself; it is caught where the script stores it.
_CATCH_TERMINAL = """
Object.defineProperty(Object.prototype, "terminal", {
  configurable: true,
  set(value) {
    Object.defineProperty(this, "terminal", { value, writable: true, configurable: true, enumerable: true });
    window.caught = value;
  },
});
"""
_SCREEN = """
(() => {
  if (!window.caught) return "";
  const buffer = window.caught.buffer.active;
  return Array.from({ length: window.caught.rows }, (_, y) =>
    buffer.getLine(buffer.baseY + y)?.translateToString(true, 0, window.caught.cols) ?? "").join("\\n");
})()
"""
_KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, "")}


class Page:
    """One tab. `requests` is every URL that it asked for, `problems` what its console complained about."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.requests: list[str] = []
        self.problems: list[str] = []
        self._socket = socket
        self._waiting: dict[int, asyncio.Future[dict[str, object]]] = {}
        self._hearing = asyncio.create_task(self._hear())

    async def call(self, method: str, **parameters: object) -> dict[str, object]:
        number = len(self._waiting)
        self._waiting[number] = answer = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        return await asyncio.wait_for(answer, 90)

    async def prepare(self) -> None:
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        await self.call("Page.addScriptToEvaluateOnNewDocument", source=_CATCH_TERMINAL)

    async def open(self, url: str) -> None:
        await self.call("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> object:
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    async def screen(self) -> str:
        """The terminal's text."""
        return str(await self.evaluate(_SCREEN))

    async def wait_for(self, *texts: str, of: str = _SCREEN, seconds: float = 120.0) -> str:
        """Until all texts are on the terminal, or in what the expression `of` gives; all of it."""
        loop = asyncio.get_running_loop()
        deadline, shown = loop.time() + seconds, ""
        while loop.time() < deadline:
            with suppress(AssertionError):  # the page is being replaced
                shown = str(await self.evaluate(of))
            if all(text in shown for text in texts):
                return shown
            await asyncio.sleep(0.1)
        raise AssertionError(f"not on the page: {[t for t in texts if t not in shown]}\n{shown}\n{self.problems}")

    async def press(self, key: str) -> None:
        code, text = _KEYS[key] if key in _KEYS else (ord(key.upper()), key)
        common = {"key": key, "windowsVirtualKeyCode": code, "nativeVirtualKeyCode": code}
        await self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    async def picture(self, path: Path) -> bytes:
        """A PNG of the page."""
        data = base64.b64decode(str((await self.call("Page.captureScreenshot", format="png"))["data"]))
        path.write_bytes(data)
        return data

    def elsewhere(self) -> list[str]:
        """Requests that left loopback."""
        return [
            url
            for url in self.requests
            if urlsplit(url).scheme != "data" and urlsplit(url).hostname not in {"127.0.0.1", "localhost", "::1"}
        ]

    async def _hear(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said:
                answer = self._waiting[said["id"]]
                if not answer.done():
                    answer.set_result(said.get("result", {"exceptionDetails": said.get("error")}))
            elif said["method"] == "Network.requestWillBeSent":
                self.requests.append(said["params"]["request"]["url"])
            elif said["method"] == "Network.webSocketCreated":
                self.requests.append(said["params"]["url"])
            elif said["method"] == "Log.entryAdded":
                self.problems.append(said["params"]["entry"]["text"] + " " + said["params"]["entry"].get("url", ""))
            elif said["method"] == "Runtime.exceptionThrown":
                self.problems.append(json.dumps(said["params"]["exceptionDetails"])[:500])


@dataclass(frozen=True)
class Chromium:
    """A running browser."""

    port: int

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Page]:
        """A new tab, on nothing yet."""
        async with aiohttp.ClientSession() as client:
            async with client.put(f"http://127.0.0.1:{self.port}/json/new?about:blank") as answer:
                target: Mapping[str, str] = await answer.json(content_type=None)
            async with client.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=64 << 20) as socket:
                page = Page(socket)
                await page.prepare()
                yield page
                await page.call("Page.close")


@contextmanager
def chromium(profile: Path, *options: str, size: tuple[int, int] = (1200, 800)) -> Iterator[Chromium]:
    """A browser of its own, with nothing remembered; gone with every child at the end."""
    assert CHROMIUM is not None
    unprivileged = () if os.geteuid() else ("--no-sandbox",)
    argv = [CHROMIUM, *_OPTIONS, f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}"]
    log = profile.parent / "chromium.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [*argv, *unprivileged, *options, "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        yield Chromium(_port(profile / "DevToolsActivePort", process, log))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _port(told: Path, process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError, ValueError, IndexError):
            return int(told.read_text().splitlines()[0])
        time.sleep(0.1)
    raise AssertionError("Chromium did not start:\n" + log.read_text(errors="replace"))
