"""Who logs in at the company of these tests, under which name, and with which pages."""

from __future__ import annotations

from policy.lifecycle import Role

PASSWORD = "correct horse battery"
CHINESE = {
    "specialist": "林晓",
    "care_director": "周敏",
    "director": "高峰",
    "manager": "田野",
    "mechanic": "石磊",
    "colleague": "罗成",
    "sales_director": "韩雪",
    "salesman": "江帆",
    "general_manager": "秦川",
    "clerk": "孟瑶",
}
"""What the people of the company are called on these pages."""

ROLES = {
    "administrator": Role.administrator,
    "specialist": Role.care,
    "care_director": Role.care,
    "director": Role.director,
    "sales_director": Role.director,
    "mechanic": Role.member,
    "colleague": Role.member,
    "salesman": Role.employee,
    "general_manager": Role.general_manager,
    "clerk": Role.hr,
    "juror": Role.juror,
    "auditor": Role.auditor,
}
"""Everybody who logs in, and which pages he opens."""
