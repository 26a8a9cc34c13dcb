"""The floor for a health end-point: one aiohttp handler with a constant body."""

from __future__ import annotations

import logging
import sys

from aiohttp import web

BODY = b'{"status":"pass"}'


async def handle(_: web.Request) -> web.Response:
    return web.Response(body=BODY, content_type="application/json")


if __name__ == "__main__":
    logging.disable()
    app = web.Application()
    app.router.add_get("/health/ready", handle)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
