"""The headers of every answer: what a browser may load, and what it must not do with a page."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g, request

from config import Settings

POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
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
            response.headers["Cache-Control"] = "private, no-cache"
        return response
