"""The headers of every answer: what a browser may load, and what it must not do with a page."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import Any

from flask import Flask, Response, g, request

from config import Settings

POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class HostCheck:
    """Refuse a request whose Host header names no host, before anything reads it.

    Nothing of the application runs for it, as every page and every error page builds addresses.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if is_host(environ.get("HTTP_HOST", "")):
            answer: Iterable[bytes] = self.application(environ, start_response)
            return answer
        text = b"The Host header of this request is no name of a host.\n"
        headers = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(text))}
        headers |= {**FIXED, "Cache-Control": "no-store"}
        start_response("400 Bad Request", list(headers.items()))
        return [text]


def is_host(text: str) -> bool:
    """Whether a Host header can be a name or an address, with or without a port."""
    if text.startswith("["):
        return _BRACKETED.fullmatch(text) is not None
    name, _, port = text.partition(":")
    return len(text) <= _LONGEST_HOST and _PORT.fullmatch(port) is not None and _is_name(name)


def _is_name(name: str) -> bool:
    try:
        name.encode("idna")
    except UnicodeError:
        return False
    return not _FORBIDDEN.search(name)


_LONGEST_HOST = 255
_PORT = re.compile(r"[0-9]{0,5}")
_BRACKETED = re.compile(r"\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{0,5})?")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f/\\?#@<>\"'%,;]")
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def csp_nonce() -> str:
    """The nonce of this request; a script or style element without it does not run."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def init_app(app: Flask, settings: Settings) -> None:
    """Put the headers on every answer and offer `csp_nonce()` to every template."""
    app.jinja_env.globals["csp_nonce"] = csp_nonce

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(FIXED)
        # What somebody uploaded is served under a stricter one of its own.
        response.headers.setdefault("Content-Security-Policy", POLICY.format(nonce=csp_nonce()))
        if settings.https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if not (request.endpoint or "").endswith("static"):
            # Customers' stories do not stay in the cache of a shared computer.
            # What an error page hands back was typed by somebody, and nobody needs it again.
            kept = "no-store" if response.status_code >= 400 else "private, no-cache"
            response.headers["Cache-Control"] = kept
        return response
