"""A real Chromium without a window, driven over its debugging pipe: what a page asked for, said and looks like."""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 60


def found() -> str | None:
    """The browser's program, or None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def browser(folder: Path) -> Iterator["Tab"]:
    """A browser with its profile in ``folder``, and one tab of it."""
    (child_in, own_out), (own_in, child_out) = os.pipe(), os.pipe()
    inner = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (child_in, child_out)]  # clear of 3 and 4
    command = [str(found()), *FLAGS, f"--user-data-dir={folder}", "about:blank"]
    wired = ["bash", "-c", f'exec "$@" 3<&{inner[0]} 4>&{inner[1]}', "bash", *command]
    env = os.environ | {"HOME": str(folder)}
    process = subprocess.Popen(
        wired, pass_fds=inner, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=env
    )
    for end in (child_in, child_out, *inner):
        os.close(end)
    try:
        yield Tab(own_in, own_out)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(own_in)
        os.close(own_out)


class Tab:
    """One tab. ``said``: console messages, exceptions and violations of the policy; ``asked``: addresses requested."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading, self.writing, self.buffer, self.count = reading, writing, b"", 0
        self.said: list[str] = []
        self.asked: list[str] = []
        self.loaded = False
        self.session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.call(f"{domain}.enable")

    def open(self, page: Path) -> None:
        """Load a file, and wait until it and its pictures are there and nothing more happens."""
        self.said, self.asked, self.loaded = [], [], False
        self.call("Page.navigate", url=page.as_uri())
        while not self.loaded:
            self._take()
        time.sleep(0.3)
        self.js("1")

    def js(self, expression: str) -> Any:
        """The value of an expression in the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def show(self, width: int, *, dark: bool = False, media: str = "") -> None:
        """Be so wide (CSS pixels), on a light or dark system, on a screen or on paper."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", media=media, features=scheme)

    def shot(self, path: Path) -> None:
        """Write the whole page as PNG."""
        height = self.js("document.documentElement.scrollHeight")
        width = self.js("document.documentElement.clientWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        done = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(done["data"]))

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])

    def call(self, method: str, **params: Any) -> Any:
        """Send a command and return its result; events that come meanwhile are noted."""
        self.count += 1
        number = self.count
        message = {"id": number, "method": method, "params": params}
        os.write(
            self.writing, json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode() + b"\0"
        )
        while True:
            answer = self._take()
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _take(self) -> dict[str, Any]:
        while b"\0" not in self.buffer:
            assert select.select([self.reading], [], [], PATIENCE)[0], "the browser does not answer"
            part = os.read(self.reading, 1 << 16)
            assert part, "the browser has ended"
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.said.append(json.dumps(params)[:500])
        elif method == "Log.entryAdded":
            self.said.append(params["entry"]["text"])
        elif method == "Page.loadEventFired":
            self.loaded = True
