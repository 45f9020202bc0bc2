"""Who opens which page: the table of rights, asked for every route and role."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from admin.kit import rights
from enums import Role
from services.regulation import draft_checks

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def _rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint not in rights.OPEN]


def _address(rule: Rule) -> str:
    """An address of the route; what it names does not exist, which is asked after the rights."""
    values: dict[str, Any] = dict.fromkeys(rule.arguments, 999999)
    address: str = rule.rule
    for name in rule.arguments:
        converters = ("int:", "string:", "path:", "")
        for converter in converters:
            address = address.replace(f"<{converter}{name}>", str(values[name]))
    return address


def test_every_route_stands_in_the_table_of_rights(app: Flask) -> None:
    missing = {rule.endpoint for rule in _rules(app)} - set(rights.RIGHTS)
    assert missing == set(), "say in admin/kit/rights.py who opens these routes"


def test_a_route_is_not_open_and_in_the_table_at_once() -> None:
    assert rights.OPEN.isdisjoint(rights.RIGHTS)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_opens_what_the_table_says_and_nothing_else(
    role: Role, app: Flask, client: FlaskClient, log_in: Any
) -> None:
    log_in(role)
    for rule in _rules(app):
        if "GET" not in (rule.methods or ()):
            continue
        status = client.get(_address(rule)).status_code
        if role in rights.RIGHTS[rule.endpoint]:
            assert status not in (401, 403), f"{role.value} must open {rule.endpoint}"
            assert status < 500, f"{rule.endpoint} fails for {role.value}"
        else:
            assert status == 403, f"{role.value} must not open {rule.endpoint}"


@pytest.mark.parametrize("role", list(Role))
def test_a_role_without_the_right_cannot_post(
    role: Role, app: Flask, client: FlaskClient, log_in: Any, csrf: Any
) -> None:
    log_in(role)
    token = {"csrf_token": csrf()}
    for rule in _rules(app):
        if "POST" in (rule.methods or ()) and role not in rights.RIGHTS[rule.endpoint]:
            status = client.post(_address(rule), data=token).status_code
            assert status == 403, f"{role.value} must not post to {rule.endpoint}"


def test_the_auditor_changes_nothing(app: Flask) -> None:
    writing = {rule.endpoint for rule in _rules(app) if WRITES & (rule.methods or set())}
    opened = {endpoint for endpoint in writing if rights.may_open(Role.auditor, endpoint)}
    assert opened == {"logout", "password.index"}, "their own password is theirs"


def test_a_stranger_is_sent_to_the_login_and_back(app: Flask, client: FlaskClient) -> None:
    for rule in _rules(app):
        if "GET" in (rule.methods or ()):
            answer = client.get(_address(rule))
            assert answer.status_code == 302, rule.endpoint
            assert answer.location.startswith("/login?next="), rule.endpoint


def test_the_login_leads_back_to_the_page_with_its_filter(client: FlaskClient) -> None:
    answer = client.get("/admin/employee/?search=a&flt_department_is=1")
    assert "search%3Da" in answer.location
    assert "flt_department_is%3D1" in answer.location


def test_the_menu_shows_only_pages_that_open(app: Flask, client: FlaskClient, log_in: Any) -> None:
    for role in Role:
        log_in(role, username=role.value)
        page = client.get("/admin/policy/")
        assert page.status_code == 200
        shown = {view.endpoint for view in _views(app) if f'href="{view.url}/"' in page.text}
        opened = {view.endpoint for view in _views(app) if _opens(role, view)}
        assert shown == opened, role


def _views(app: Flask) -> list[Any]:
    return [v for v in app.extensions["admin"][0]._views if getattr(v, "group", "")]


def _opens(role: Role, view: Any) -> bool:
    return rights.may_open(role, f"{view.endpoint}.{view._default_view}")


def test_the_check_of_a_draft_knows_whose_account_opens_a_case() -> None:
    assert draft_checks.CASEWORKERS == rights.CASEWORK
