"""Who logs in at the company of these tests, under which name, and with which pages."""

from __future__ import annotations

from enums import Role

PASSWORD = "correct horse battery"
CHINESE = {
    "specialist": "关爱专员甲",
    "care_director": "关爱总监甲",
    "director": "售后总监甲",
    "manager": "售后经理甲",
    "mechanic": "技师甲",
    "colleague": "技师乙",
    "sales_director": "销售总监甲",
    "salesman": "销售员甲",
    "general_manager": "总经理甲",
    "clerk": "人事专员甲",
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
