"""The first record: every table Redress begins with.

Until the first release this one migration is the whole record; from then on each change of
models.py brings a migration of its own.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "first_record"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("slots", sa.JSON(), nullable=False),
        sa.Column("half_slots", sa.JSON(), nullable=False),
        sa.Column("coverage_from", sa.Date(), nullable=False),
        sa.Column("coverage_until", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar")),
        sa.UniqueConstraint("key", name=op.f("uq_calendar_key")),
    )
    op.create_table(
        "customer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("phone_digits", sa.String(length=32), nullable=True),
        sa.Column("address", sa.String(length=300), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
    )
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_name"), ["name"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_customer_phone_digits"), ["phone_digits"], unique=False
        )

    op.create_table(
        "department",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_department")),
        sa.UniqueConstraint("key", name=op.f("uq_department_key")),
        sa.UniqueConstraint("name", name=op.f("uq_department_name")),
    )
    op.create_table(
        "lease",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=120), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lease")),
        sa.UniqueConstraint("name", name=op.f("uq_lease_name")),
    )
    op.create_table(
        "login_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempt")),
    )
    with op.batch_alter_table("login_attempt", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_login_attempt_address_login_attempt_at"), ["address", "at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_login_attempt_username_login_attempt_at"),
            ["username", "at"],
            unique=False,
        )

    op.create_table(
        "number_counter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("series", sa.String(length=64), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_counter")),
        sa.UniqueConstraint("series", "period", name=op.f("uq_number_counter_series_period")),
    )
    op.create_table(
        "policy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy")),
        sa.UniqueConstraint("key", name=op.f("uq_policy_key")),
    )
    op.create_table(
        "calendar_day",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("calendar_id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "work",
                "rest",
                "holiday",
                "makeup",
                "half",
                name="daykind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendar.id"], name=op.f("fk_calendar_day_calendar_id_calendar")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_day")),
        sa.UniqueConstraint("calendar_id", "on", name=op.f("uq_calendar_day_calendar_id_on")),
    )
    op.create_table(
        "department_meaning",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["department.id"],
            name=op.f("fk_department_meaning_department_id_department"),
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["policy.id"], name=op.f("fk_department_meaning_policy_id_policy")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_department_meaning")),
        sa.UniqueConstraint(
            "policy_id", "key", "from_on", name=op.f("uq_department_meaning_policy_id_key_from_on")
        ),
    )
    with op.batch_alter_table("department_meaning", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_department_meaning_department_id"), ["department_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_department_meaning_policy_id"), ["policy_id"], unique=False
        )

    op.create_table(
        "employee",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("email", sa.String(length=200), nullable=True),
        sa.Column("joined_on", sa.Date(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "left_on IS NULL OR left_on >= joined_on", name=op.f("ck_employee_leaves_after_joining")
        ),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_employee_department_id_department")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employee")),
        sa.UniqueConstraint("number", name=op.f("uq_employee_number")),
    )
    with op.batch_alter_table("employee", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_employee_department_id"), ["department_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_employee_name"), ["name"], unique=False)

    op.create_table(
        "post_holding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("post", sa.String(length=64), nullable=False),
        sa.Column("employee_id", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "until_on IS NULL OR until_on >= from_on",
            name=op.f("ck_post_holding_ends_after_it_begins"),
        ),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["employee.id"], name=op.f("fk_post_holding_employee_id_employee")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post_holding")),
    )
    with op.batch_alter_table("post_holding", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_post_holding_employee_id"), ["employee_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_post_holding_post"), ["post"], unique=False)

    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("display_name", sa.String(length=120), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "administrator",
                "care",
                "director",
                "member",
                "general_manager",
                "juror",
                "hr",
                "auditor",
                "employee",
                name="role",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("employee_id", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("session_token", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["employee.id"], name=op.f("fk_user_employee_id_employee")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("username", name=op.f("uq_user_username")),
    )
    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_employee_id"), ["employee_id"], unique=False)

    op.create_table(
        "deputy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("holding_id", sa.Integer(), nullable=False),
        sa.Column("employee_id", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("until_on >= from_on", name=op.f("ck_deputy_ends_after_it_begins")),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["employee.id"], name=op.f("fk_deputy_employee_id_employee")
        ),
        sa.ForeignKeyConstraint(
            ["holding_id"], ["post_holding.id"], name=op.f("fk_deputy_holding_id_post_holding")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputy")),
    )
    with op.batch_alter_table("deputy", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deputy_employee_id"), ["employee_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deputy_holding_id"), ["holding_id"], unique=False)

    op.create_table(
        "policy_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("published_at", sa.DateTime(), nullable=True),
        sa.Column("approved_by_id", sa.Integer(), nullable=True),
        sa.Column("checksum", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('draft', 'published', 'withdrawn')",
            name=op.f("ck_policy_version_status_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["approved_by_id"], ["user.id"], name=op.f("fk_policy_version_approved_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["policy.id"], name=op.f("fk_policy_version_policy_id_policy")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_version")),
        sa.UniqueConstraint("policy_id", "number", name=op.f("uq_policy_version_policy_id_number")),
    )
    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_policy_version_approved_by_id"), ["approved_by_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_policy_version_policy_id"), ["policy_id"], unique=False
        )

    op.create_table(
        "wage_month",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("closed_at", sa.DateTime(), nullable=False),
        sa.Column("closed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["closed_by_id"], ["user.id"], name=op.f("fk_wage_month_closed_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wage_month")),
        sa.UniqueConstraint("month", name=op.f("uq_wage_month_month")),
    )
    with op.batch_alter_table("wage_month", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_wage_month_closed_by_id"), ["closed_by_id"], unique=False
        )

    op.create_table(
        "work_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("taken_at", sa.DateTime(), nullable=True),
        sa.Column("done_at", sa.DateTime(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["user.id"], name=op.f("fk_work_request_asked_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_request")),
    )
    with op.batch_alter_table("work_request", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_work_request_asked_by_id"), ["asked_by_id"], unique=False
        )
        batch_op.create_index(
            "uq_work_request_open",
            ["kind", "key"],
            unique=True,
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )

    op.create_table(
        "complaint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("policy_version_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("source_id", sa.String(length=120), nullable=True),
        sa.Column("history", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=True),
        sa.Column("category", sa.String(length=64), nullable=True),
        sa.Column("level", sa.String(length=64), nullable=True),
        sa.Column("grade", sa.String(length=64), nullable=True),
        sa.Column("grade_chosen", sa.Boolean(), nullable=False),
        sa.Column(
            "responsibility",
            sa.Enum(
                "undetermined",
                "responsible",
                "not_responsible",
                name="responsibility",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "registered",
                "returned",
                "dispatched",
                "replied",
                "raised",
                "intervened",
                "confirmed",
                "disputed",
                "accepted",
                "closed",
                "archived",
                "recorded",
                "withdrawn",
                name="status",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("demand", sa.Text(), nullable=True),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("handler_id", sa.Integer(), nullable=True),
        sa.Column("responsible_id", sa.Integer(), nullable=True),
        sa.Column("director_only", sa.Boolean(), nullable=False),
        sa.Column(
            "reply_outcome",
            sa.Enum(
                "solved",
                "extension",
                "raise_to_gm",
                name="replyoutcome",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "closing_ground",
            sa.Enum(
                "satisfied",
                "unreachable",
                "refused",
                "wrong_number",
                "settled",
                name="closingground",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("feedback", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("registered_at", sa.DateTime(), nullable=False),
        sa.Column("classified_at", sa.DateTime(), nullable=True),
        sa.Column("dispatched_at", sa.DateTime(), nullable=True),
        sa.Column("contacted_at", sa.DateTime(), nullable=True),
        sa.Column("replied_at", sa.DateTime(), nullable=True),
        sa.Column("raised_at", sa.DateTime(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(), nullable=True),
        sa.Column("restarted_at", sa.DateTime(), nullable=True),
        sa.Column("upgraded_at", sa.DateTime(), nullable=True),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.Column("observe_until", sa.DateTime(), nullable=True),
        sa.Column("factory_closed_at", sa.DateTime(), nullable=True),
        sa.Column("archived_at", sa.DateTime(), nullable=True),
        sa.Column("retain_until", sa.Date(), nullable=True),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("time_at", sa.DateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("round >= 1", name=op.f("ck_complaint_rounds_begin_at_one")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_complaint_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_complaint_department_id_department")
        ),
        sa.ForeignKeyConstraint(
            ["handler_id"], ["employee.id"], name=op.f("fk_complaint_handler_id_employee")
        ),
        sa.ForeignKeyConstraint(
            ["policy_version_id"],
            ["policy_version.id"],
            name=op.f("fk_complaint_policy_version_id_policy_version"),
        ),
        sa.ForeignKeyConstraint(
            ["responsible_id"], ["employee.id"], name=op.f("fk_complaint_responsible_id_employee")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint")),
        sa.UniqueConstraint("number", name=op.f("uq_complaint_number")),
        sa.UniqueConstraint("source", "source_id", name=op.f("uq_complaint_source_source_id")),
    )
    with op.batch_alter_table("complaint", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_complaint_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_complaint_department_id"), ["department_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_complaint_due_at_complaint_id"), ["due_at", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_complaint_handler_id"), ["handler_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_complaint_policy_version_id"), ["policy_version_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_complaint_received_at_complaint_id"), ["received_at", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_complaint_responsible_id"), ["responsible_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_complaint_status_complaint_department_id_complaint_due_at"),
            ["status", "department_id", "due_at"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_complaint_time_at"), ["time_at"], unique=False)

    op.create_table(
        "parameter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy_version_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_version_id"],
            ["policy_version.id"],
            name=op.f("fk_parameter_policy_version_id_policy_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parameter")),
        sa.UniqueConstraint(
            "policy_version_id", "key", name=op.f("uq_parameter_policy_version_id_key")
        ),
    )
    with op.batch_alter_table("parameter", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_parameter_policy_version_id"), ["policy_version_id"], unique=False
        )

    op.create_table(
        "policy_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy_version_id", sa.Integer(), nullable=False),
        sa.Column("section", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_version_id"],
            ["policy_version.id"],
            name=op.f("fk_policy_rule_policy_version_id_policy_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_rule")),
        sa.UniqueConstraint(
            "policy_version_id",
            "section",
            "key",
            name=op.f("uq_policy_rule_policy_version_id_section_key"),
        ),
    )
    with op.batch_alter_table("policy_rule", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_policy_rule_policy_version_id"), ["policy_version_id"], unique=False
        )

    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("department_key", sa.String(length=64), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=False),
        sa.Column("responsible_id", sa.Integer(), nullable=True),
        sa.Column("handler_id", sa.Integer(), nullable=True),
        sa.Column("dispatched_at", sa.DateTime(), nullable=False),
        sa.Column("returned_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_assignment_complaint_id_complaint")
        ),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["department.id"],
            name=op.f("fk_assignment_department_id_department"),
        ),
        sa.ForeignKeyConstraint(
            ["handler_id"], ["employee.id"], name=op.f("fk_assignment_handler_id_employee")
        ),
        sa.ForeignKeyConstraint(
            ["responsible_id"], ["employee.id"], name=op.f("fk_assignment_responsible_id_employee")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
        sa.UniqueConstraint(
            "complaint_id", "position", name=op.f("uq_assignment_complaint_id_position")
        ),
    )
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_assignment_complaint_id"), ["complaint_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_assignment_department_id"), ["department_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_assignment_handler_id"), ["handler_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_assignment_responsible_id"), ["responsible_id"], unique=False
        )

    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("checksum", sa.String(length=64), nullable=False),
        sa.Column("added_by_id", sa.Integer(), nullable=True),
        sa.Column("added_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["added_by_id"], ["user.id"], name=op.f("fk_attachment_added_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_attachment_complaint_id_complaint")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_attachment_added_by_id"), ["added_by_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_attachment_complaint_id"), ["complaint_id"], unique=False
        )

    op.create_table(
        "callback",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "verification", "satisfaction", name="callpurpose", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "answered",
                "unreachable",
                "refused",
                "wrong_number",
                name="calloutcome",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "satisfaction",
            sa.Enum(
                "very_satisfied",
                "satisfied",
                "acceptable",
                "dissatisfied",
                "very_dissatisfied",
                name="satisfaction",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "process_score",
            sa.Enum(
                "very_satisfied",
                "satisfied",
                "acceptable",
                "dissatisfied",
                "very_dissatisfied",
                name="satisfaction",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("matches_form", sa.Boolean(), nullable=True),
        sa.Column("asks_more", sa.Boolean(), nullable=True),
        sa.Column("care_insists", sa.Boolean(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("caller_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["caller_id"], ["employee.id"], name=op.f("fk_callback_caller_id_employee")
        ),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_callback_complaint_id_complaint")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback")),
        sa.UniqueConstraint(
            "complaint_id", "position", name=op.f("uq_callback_complaint_id_position")
        ),
    )
    with op.batch_alter_table("callback", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_callback_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_callback_caller_id"), ["caller_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_callback_complaint_id"), ["complaint_id"], unique=False
        )

    op.create_table(
        "deadline",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "running", "met", "superseded", name="clockstate", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("opens_at", sa.DateTime(), nullable=True),
        sa.Column("due_at", sa.DateTime(), nullable=True),
        sa.Column("review_at", sa.DateTime(), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("met_at", sa.DateTime(), nullable=True),
        sa.Column("responsible_id", sa.Integer(), nullable=True),
        sa.Column("because", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_deadline_complaint_id_complaint")
        ),
        sa.ForeignKeyConstraint(
            ["responsible_id"], ["employee.id"], name=op.f("fk_deadline_responsible_id_employee")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline")),
        sa.UniqueConstraint(
            "complaint_id", "key", "round", name=op.f("uq_deadline_complaint_id_key_round")
        ),
    )
    with op.batch_alter_table("deadline", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_deadline_complaint_id"), ["complaint_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_deadline_responsible_id"), ["responsible_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_deadline_state_deadline_due_at"), ["state", "due_at"], unique=False
        )

    op.create_table(
        "extension",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_extension_complaint_id_complaint")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension")),
        sa.UniqueConstraint(
            "complaint_id", "position", name=op.f("uq_extension_complaint_id_position")
        ),
    )
    with op.batch_alter_table("extension", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_extension_complaint_id"), ["complaint_id"], unique=False
        )

    op.create_table(
        "form_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy_version_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("filled_by_id", sa.Integer(), nullable=True),
        sa.Column("filled_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_form_entry_complaint_id_complaint")
        ),
        sa.ForeignKeyConstraint(
            ["filled_by_id"], ["user.id"], name=op.f("fk_form_entry_filled_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["policy_version_id"],
            ["policy_version.id"],
            name=op.f("fk_form_entry_policy_version_id_policy_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_form_entry")),
    )
    with op.batch_alter_table("form_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_form_entry_complaint_id"), ["complaint_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_form_entry_filled_by_id"), ["filled_by_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_form_entry_form"), ["form"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_form_entry_policy_version_id"), ["policy_version_id"], unique=False
        )

    op.create_table(
        "journal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column(
            "actor",
            sa.Enum(
                "user", "sheet", "client", "system", name="actorkind", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("employee_id", sa.Integer(), nullable=True),
        sa.Column("happened_at", sa.DateTime(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "happened_at <= recorded_at", name=op.f("ck_journal_recorded_after_it_happened")
        ),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_journal_complaint_id_complaint")
        ),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["employee.id"], name=op.f("fk_journal_employee_id_employee")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_journal_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sa.UniqueConstraint("complaint_id", "seq", name=op.f("uq_journal_complaint_id_seq")),
    )
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_journal_employee_id"), ["employee_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_journal_recorded_at"), ["recorded_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_journal_user_id"), ["user_id"], unique=False)

    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("occasion", sa.String(length=120), nullable=False),
        sa.Column("employee_id", sa.Integer(), nullable=True),
        sa.Column("post", sa.String(length=64), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_notice_complaint_id_complaint")
        ),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["employee.id"], name=op.f("fk_notice_employee_id_employee")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint(
            "complaint_id", "kind", "occasion", name=op.f("uq_notice_complaint_id_kind_occasion")
        ),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_complaint_id"), ["complaint_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_notice_employee_id"), ["employee_id"], unique=False)

    op.create_table(
        "penalty",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("cite", sa.String(length=64), nullable=False),
        sa.Column("occasion", sa.String(length=120), nullable=False),
        sa.Column(
            "sign",
            sa.Enum("charge", "reversal", name="sign", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("employee_id", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "proposed",
                "confirmed",
                "notified",
                "waived",
                "lapsed",
                name="penaltystatus",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("because", sa.JSON(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(), nullable=True),
        sa.Column("notified_at", sa.DateTime(), nullable=True),
        sa.Column("counts_at", sa.DateTime(), nullable=True),
        sa.Column("month", sa.String(length=7), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_penalty_amount_is_positive")),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_penalty_complaint_id_complaint")
        ),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["employee.id"], name=op.f("fk_penalty_employee_id_employee")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_penalty")),
        sa.UniqueConstraint(
            "complaint_id",
            "rule",
            "employee_id",
            "occasion",
            "sign",
            name=op.f("uq_penalty_complaint_id_rule_employee_id_occasion_sign"),
        ),
    )
    with op.batch_alter_table("penalty", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_penalty_complaint_id"), ["complaint_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_penalty_employee_id"), ["employee_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_penalty_month"), ["month"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_penalty_status_penalty_month"), ["status", "month"], unique=False
        )

    op.create_table(
        "signoff",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("post", sa.String(length=64), nullable=False),
        sa.Column("as_deputy", sa.Boolean(), nullable=False),
        sa.Column("employee_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_signoff_complaint_id_complaint")
        ),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["employee.id"], name=op.f("fk_signoff_employee_id_employee")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signoff")),
        sa.UniqueConstraint(
            "complaint_id", "position", name=op.f("uq_signoff_complaint_id_position")
        ),
    )
    with op.batch_alter_table("signoff", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signoff_complaint_id"), ["complaint_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_signoff_employee_id"), ["employee_id"], unique=False)

    op.create_table(
        "tally",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("counter", sa.String(length=64), nullable=False),
        sa.Column("department_key", sa.String(length=64), nullable=True),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_tally_complaint_id_complaint")
        ),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_tally_department_id_department")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally")),
        sa.UniqueConstraint(
            "complaint_id", "position", name=op.f("uq_tally_complaint_id_position")
        ),
    )
    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tally_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_tally_complaint_id"), ["complaint_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tally_department_id"), ["department_id"], unique=False)

    op.create_table(
        "breach",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deadline_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("breached_at", sa.DateTime(), nullable=False),
        sa.Column("found_at", sa.DateTime(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(), nullable=True),
        sa.Column("lifted_because", sa.String(length=32), nullable=True),
        sa.CheckConstraint(
            "breached_at <= found_at", name=op.f("ck_breach_found_after_it_happened")
        ),
        sa.ForeignKeyConstraint(
            ["deadline_id"], ["deadline.id"], name=op.f("fk_breach_deadline_id_deadline")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breach")),
        sa.UniqueConstraint(
            "deadline_id",
            "level",
            "breached_at",
            name=op.f("uq_breach_deadline_id_level_breached_at"),
        ),
    )
    with op.batch_alter_table("breach", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_breach_deadline_id"), ["deadline_id"], unique=False)

    op.create_table(
        "deadline_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deadline_id", sa.Integer(), nullable=False),
        sa.Column("due_before", sa.DateTime(), nullable=True),
        sa.Column("due_after", sa.DateTime(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("journal_seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deadline_id"], ["deadline.id"], name=op.f("fk_deadline_revision_deadline_id_deadline")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline_revision")),
    )
    with op.batch_alter_table("deadline_revision", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_deadline_revision_deadline_id"), ["deadline_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("deadline_revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deadline_revision_deadline_id"))

    op.drop_table("deadline_revision")
    with op.batch_alter_table("breach", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_breach_deadline_id"))

    op.drop_table("breach")
    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tally_department_id"))
        batch_op.drop_index(batch_op.f("ix_tally_complaint_id"))
        batch_op.drop_index(batch_op.f("ix_tally_at"))

    op.drop_table("tally")
    with op.batch_alter_table("signoff", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signoff_employee_id"))
        batch_op.drop_index(batch_op.f("ix_signoff_complaint_id"))

    op.drop_table("signoff")
    with op.batch_alter_table("penalty", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_penalty_status_penalty_month"))
        batch_op.drop_index(batch_op.f("ix_penalty_month"))
        batch_op.drop_index(batch_op.f("ix_penalty_employee_id"))
        batch_op.drop_index(batch_op.f("ix_penalty_complaint_id"))

    op.drop_table("penalty")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_employee_id"))
        batch_op.drop_index(batch_op.f("ix_notice_complaint_id"))

    op.drop_table("notice")
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_journal_user_id"))
        batch_op.drop_index(batch_op.f("ix_journal_recorded_at"))
        batch_op.drop_index(batch_op.f("ix_journal_employee_id"))

    op.drop_table("journal")
    with op.batch_alter_table("form_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_form_entry_policy_version_id"))
        batch_op.drop_index(batch_op.f("ix_form_entry_form"))
        batch_op.drop_index(batch_op.f("ix_form_entry_filled_by_id"))
        batch_op.drop_index(batch_op.f("ix_form_entry_complaint_id"))

    op.drop_table("form_entry")
    with op.batch_alter_table("extension", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_extension_complaint_id"))

    op.drop_table("extension")
    with op.batch_alter_table("deadline", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deadline_state_deadline_due_at"))
        batch_op.drop_index(batch_op.f("ix_deadline_responsible_id"))
        batch_op.drop_index(batch_op.f("ix_deadline_complaint_id"))

    op.drop_table("deadline")
    with op.batch_alter_table("callback", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_callback_complaint_id"))
        batch_op.drop_index(batch_op.f("ix_callback_caller_id"))
        batch_op.drop_index(batch_op.f("ix_callback_at"))

    op.drop_table("callback")
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attachment_complaint_id"))
        batch_op.drop_index(batch_op.f("ix_attachment_added_by_id"))

    op.drop_table("attachment")
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_assignment_responsible_id"))
        batch_op.drop_index(batch_op.f("ix_assignment_handler_id"))
        batch_op.drop_index(batch_op.f("ix_assignment_department_id"))
        batch_op.drop_index(batch_op.f("ix_assignment_complaint_id"))

    op.drop_table("assignment")
    with op.batch_alter_table("policy_rule", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_policy_rule_policy_version_id"))

    op.drop_table("policy_rule")
    with op.batch_alter_table("parameter", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_parameter_policy_version_id"))

    op.drop_table("parameter")
    with op.batch_alter_table("complaint", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_complaint_time_at"))
        batch_op.drop_index(
            batch_op.f("ix_complaint_status_complaint_department_id_complaint_due_at")
        )
        batch_op.drop_index(batch_op.f("ix_complaint_responsible_id"))
        batch_op.drop_index(batch_op.f("ix_complaint_received_at_complaint_id"))
        batch_op.drop_index(batch_op.f("ix_complaint_policy_version_id"))
        batch_op.drop_index(batch_op.f("ix_complaint_handler_id"))
        batch_op.drop_index(batch_op.f("ix_complaint_due_at_complaint_id"))
        batch_op.drop_index(batch_op.f("ix_complaint_department_id"))
        batch_op.drop_index(batch_op.f("ix_complaint_customer_id"))

    op.drop_table("complaint")
    with op.batch_alter_table("work_request", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_work_request_open",
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_work_request_asked_by_id"))

    op.drop_table("work_request")
    with op.batch_alter_table("wage_month", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_wage_month_closed_by_id"))

    op.drop_table("wage_month")
    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_policy_version_policy_id"))
        batch_op.drop_index(batch_op.f("ix_policy_version_approved_by_id"))

    op.drop_table("policy_version")
    with op.batch_alter_table("deputy", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deputy_holding_id"))
        batch_op.drop_index(batch_op.f("ix_deputy_employee_id"))

    op.drop_table("deputy")
    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_employee_id"))

    op.drop_table("user")
    with op.batch_alter_table("post_holding", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_post_holding_post"))
        batch_op.drop_index(batch_op.f("ix_post_holding_employee_id"))

    op.drop_table("post_holding")
    with op.batch_alter_table("employee", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_employee_name"))
        batch_op.drop_index(batch_op.f("ix_employee_department_id"))

    op.drop_table("employee")
    with op.batch_alter_table("department_meaning", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_department_meaning_policy_id"))
        batch_op.drop_index(batch_op.f("ix_department_meaning_department_id"))

    op.drop_table("department_meaning")
    op.drop_table("calendar_day")
    op.drop_table("policy")
    op.drop_table("number_counter")
    with op.batch_alter_table("login_attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_attempt_username_login_attempt_at"))
        batch_op.drop_index(batch_op.f("ix_login_attempt_address_login_attempt_at"))

    op.drop_table("login_attempt")
    op.drop_table("lease")
    op.drop_table("department")
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_customer_phone_digits"))
        batch_op.drop_index(batch_op.f("ix_customer_name"))

    op.drop_table("customer")
    op.drop_table("calendar")
