"""A real server on a clone of the city, and a real browser in front of it.

Pictures go to FUZHENGTONG_PICTURES (`make docs` names docs/screenshots), else below the test home. The tests are left
out, visibly, where no Chromium is installed.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import Databases
from tests.conftest import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--font-render-hinting=none",
    # What the browser itself writes into a page, such as the name of a month, it writes in the language of its own face.
    "--lang=zh-CN",
]  # fmt: skip
PICTURES = Path(os.environ.get("FUZHENGTONG_PICTURES") or Path(os.environ["FUZHENGTONG_HOME"]) / "pictures")
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")

pytestmark = pytest.mark.browser


@dataclass
class Server:
    """The running program: its address and its database."""

    address: str
    database: str


@pytest.fixture(scope="session")
def server(databases: Databases) -> Iterator[Server]:
    name = databases.clone("b")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = os.environ | {
        "DATABASE_URL": databases.app_url(name),
        "FUZHENGTONG_DEMO": "1",
        "FUZHENGTONG_RATE_LIMITS": "off",
        "DJANGO_SETTINGS_MODULE": "fuzhengtong.config.settings",
    }
    seeded = subprocess.run(
        [sys.executable, "-m", "fuzhengtong", "init", "--demo"], env=environ, cwd=ROOT, capture_output=True, text=True
    )
    assert seeded.returncode == 0, seeded.stderr
    log = open(Path(os.environ["FUZHENGTONG_HOME"]) / "browser-server.log", "wb")  # noqa: SIM115
    processes = [
        subprocess.Popen([sys.executable, "-m", "fuzhengtong", *words], env=environ, cwd=ROOT, stdout=log, stderr=log)
        for words in (("web", "--port", str(port), "--workers", "1"), ("tick",))
    ]
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address)
        yield Server(address=address, database=name)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)
        log.close()
        databases.drop(name)


def _wait_for(address: str) -> None:
    ends = time.monotonic() + 40
    while time.monotonic() < ends:
        try:
            with urllib.request.urlopen(f"{address}/api/v1/health", timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server did not answer")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    if not CHROMIUM:
        pytest.skip("no Chromium is installed: browser tests are left out")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, env=dict(os.environ) | {"LANGUAGE": "zh_CN"}
        )
        yield browser
        browser.close()


class Person:
    """One person at one screen: a browser of his own, which notes every error and refuses every strange address."""

    def __init__(self, browser: Any, server: Server, *, width: int, height: int, **options: Any) -> None:
        self.server = server
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, locale=options.pop("locale", "zh-CN"), **options
        )
        self.page = self.context.new_page()
        self.troubles: list[str] = []
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("console", self._heard)
        self.page.on("request", self._asked)

    def _heard(self, message: Any) -> None:
        # A refusal is an answer: the browser's own line about a 4xx page is no trouble.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.troubles.append(f"console: {message.text}")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.server.address, "data:", "blob:")):
            self.troubles.append(f"asked elsewhere: {request.url}")

    def goto(self, path: str) -> Any:
        return self.page.goto(self.server.address + path)

    def sign_in(self, login: str) -> None:
        from fuzhengtong.directory.tour import DEMO_PASSWORD

        self.goto("/desk/sign-in/")
        self.page.fill("input[name=login]", login)
        self.page.fill("input[name=password]", DEMO_PASSWORD)
        self.page.click("form button[type=submit] >> nth=-1")
        self.page.wait_for_load_state()

    def picture(self, name: str, *, full: bool = False) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(PICTURES / f"{name}.png"), full_page=full)

    def check(self) -> None:
        """Find nothing wrong: no script error, no strange request, no sideways scrolling, no barrier."""
        assert self.troubles == []
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{self.page.url} scrolls sideways by {wide} px"
        self.page.evaluate(AXE)
        found = self.page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']}).then(r => r.violations.map("
            "v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.target.join(' ')).join(' | ')))"
        )
        assert found == [], f"{self.page.url}: {found}"

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def people(chromium: Any, server: Server) -> Iterator[Any]:
    made: list[Person] = []

    def person(width: int = 390, height: int = 844, **options: Any) -> Person:
        made.append(Person(chromium, server, width=width, height=height, **options))
        return made[-1]

    yield person
    for one in made:
        one.close()
