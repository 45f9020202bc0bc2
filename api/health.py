"""The health check, for `flask serve`, monitors and load balancers."""

from __future__ import annotations

import datetime as dt
import logging

from flask import Flask, Response, jsonify
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.exc import SQLAlchemyError

from services.jobs import leases

logger = logging.getLogger(__name__)


def init_app(app: Flask, db: SQLAlchemy) -> None:
    """Add GET /healthz: 200 when the database answers, else 503; `worker` says if one lives."""

    @app.get("/healthz")
    def healthz() -> tuple[Response, int]:
        try:
            age = leases.seconds_since_heartbeat(db.session(), now=dt.datetime.now(dt.UTC))
        except SQLAlchemyError:
            logger.exception("the database does not answer")
            return jsonify(status="database unavailable"), 503
        alive = age is not None and age <= leases.HEARTBEAT_TERM.total_seconds()
        worker = "running" if alive else "absent"
        return jsonify(status="ok", worker=worker, worker_seconds_since_beat=age), 200
