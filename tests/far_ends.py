"""Far ends on this machine: a mail server and a group robot that keep what they are given."""

from __future__ import annotations

import email
import email.policy
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

PASSWORD = "s3cret-Password"


def free_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mailbox:
    """A mail server on this machine that knows one password.

    It keeps what it is given; what `answers` holds it says instead, one after the other.
    """

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.answers: list[str] = []
        self.port = free_port()

    @property
    def address(self) -> str:
        """Its Apprise address, with the password."""
        return f"mailto://redress:{PASSWORD}@127.0.0.1:{self.port}?from=Redress<no-reply@r.example>"

    @property
    def messages(self) -> list[EmailMessage]:
        """What arrived, read as a mail program reads it."""
        contents = (cast(bytes, one.content) for one in self.envelopes)
        return [email.message_from_bytes(one, policy=email.policy.default) for one in contents]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep a message, unless something else is to be answered."""
        if self.answers:
            return self.answers.pop(0)
        self.envelopes.append(envelope)
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A mailbox whose server runs meanwhile."""

    def let_in(server: SMTP, session: Session, envelope: Envelope, how: str, who: Any) -> Any:
        return AuthResult(success=who.password == PASSWORD.encode(), handled=False)

    mailbox = Mailbox()
    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=mailbox.port,
        authenticator=let_in,
        auth_require_tls=False,
    )
    controller.start()
    yield mailbox
    controller.stop()


class Robot:
    """A web server on this machine that keeps what is posted to it and answers as it is told."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        self.answer: object = {"errcode": 0, "errmsg": "ok"}
        self.server = HTTPServer(("127.0.0.1", 0), _handler_of(self))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def address(self) -> str:
        """Its Apprise address, for a program that takes JSON."""
        return f"json://127.0.0.1:{self.server.server_port}/hook"


def _handler_of(robot: Robot) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            robot.posts.append((self.path, json.loads(body)))
            self.send_response(robot.status)
            self.end_headers()
            said = robot.answer
            self.wfile.write(said if isinstance(said, bytes) else json.dumps(said).encode())

        def log_message(self, *_said: Any) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def robot_server() -> Iterator[Robot]:
    """A robot whose server runs meanwhile."""
    robot = Robot()
    thread = threading.Thread(target=robot.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield robot
    robot.server.shutdown()
    robot.server.server_close()
    thread.join()
