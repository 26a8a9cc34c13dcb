"""A real Chromium for tests of pages, driven by playwright."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from blockbuster import BlockBuster
from playwright.async_api import ConsoleMessage, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# playwright looks for its driver on the loop, once a start.
MAY_BLOCK = {"playwright/_impl/_driver.py": {"compute_driver_executable"}}


def chromium() -> str:
    """Path of the browser; without one the test is skipped, and fails where CI promises one."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        reason = f"no browser: none of {', '.join(NAMES)} is installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(autouse=True)
def _playwright_may_block(blockbuster: BlockBuster) -> None:
    for function in blockbuster.functions.values():
        for file, names in MAY_BLOCK.items():
            function.can_block_in(file, names)


@asynccontextmanager
async def browsing(url: str, **context: Any) -> AsyncIterator[Page]:
    """A fresh window at `url`; fails when the page complained of anything (script errors, refused loads)."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # A refused interaction is an HTTP error on purpose; the browser reports it as a failed load.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    options = {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"} | context
    path = await asyncio.to_thread(chromium)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = await (await browser.new_context(**options)).new_page()
        page.set_default_timeout(10_000)
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(url)
        yield page
        await browser.close()
    assert complaints == []
