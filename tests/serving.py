"""The application as a server beside the test, the way a browser meets it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import Engine
from werkzeug.serving import make_server

from app import create_app
from config import Settings


@dataclass(frozen=True)
class Live:
    """A running server: its address and the database behind it."""

    url: str
    app: Flask
    engine: Engine


@contextmanager
def made(settings: Settings) -> Iterator[Flask]:
    """The application of `settings`, showing a visitor's pages and not the exceptions."""
    app = create_app(settings)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    yield app
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


@contextmanager
def served(app: Flask, engine: Engine) -> Iterator[Live]:
    """The application, answering on a free port of this machine."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Live(f"http://127.0.0.1:{server.server_port}", app, engine)
    server.shutdown()
    thread.join()
    server.server_close()
