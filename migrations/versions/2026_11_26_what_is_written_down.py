"""Form entries of a case, and the sanctions that a penalty brings besides a sum.

Forms, reports, approvals, votes and findings of a case stand in `form_entry` by position; those
without a case may belong to a customer and a period. A case knows whom the customer asked first,
what was found, who was concerned and what was promised. A series of numbers belongs to one
regulation, because two in force at once may use one key.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "what_is_written_down"
down_revision = "calendar_versions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _case()
    _entries()
    _money()
    op.create_table(
        "customer_flag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("cite", sa.String(length=64), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=True),
        sa.Column("set_at", sa.DateTime(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("lifted_by_id", sa.Integer(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(), nullable=True),
        sa.Column("lifted_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_flag_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["set_by_id"], ["user.id"], name=op.f("fk_customer_flag_set_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["lifted_by_id"], ["user.id"], name=op.f("fk_customer_flag_lifted_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_flag")),
    )
    for column in ("customer_id", "set_by_id", "lifted_by_id"):
        op.create_index(op.f(f"ix_customer_flag_{column}"), "customer_flag", [column])
    with op.batch_alter_table("customer") as batch_op:
        batch_op.add_column(sa.Column("tier", sa.String(length=16), nullable=True))
    _series_of_one_regulation()


def _case() -> None:
    with op.batch_alter_table("complaint") as batch_op:
        batch_op.add_column(sa.Column("first_asked", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("linked", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("finding", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("valid", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("concerned", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(
            sa.Column("struck", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(sa.Column("promised_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("informed_at", sa.DateTime(), nullable=True))
    with op.batch_alter_table("complaint") as batch_op:
        batch_op.alter_column("concerned", server_default=None)
        batch_op.alter_column("struck", server_default=None)
    with op.batch_alter_table("callback") as batch_op:
        batch_op.add_column(
            sa.Column("method", sa.String(length=16), server_default="phone", nullable=False)
        )
    with op.batch_alter_table("callback") as batch_op:
        batch_op.alter_column("method", server_default=None)


def _entries() -> None:
    with op.batch_alter_table("form_entry") as batch_op:
        batch_op.drop_index(op.f("ix_form_entry_form"))
        batch_op.drop_index(op.f("ix_form_entry_complaint_id"))
        batch_op.add_column(
            sa.Column("section", sa.String(length=32), server_default="form", nullable=False)
        )
        batch_op.add_column(sa.Column("position", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("round", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("customer_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("period", sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column("employee_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_form_entry_customer_id_customer"), "customer", ["customer_id"], ["id"]
        )
        batch_op.create_foreign_key(
            op.f("fk_form_entry_employee_id_employee"), "employee", ["employee_id"], ["id"]
        )
        batch_op.create_unique_constraint(
            op.f("uq_form_entry_complaint_id_position"), ["complaint_id", "position"]
        )
        batch_op.create_check_constraint(
            op.f("ck_form_entry_on_a_case_it_has_its_place"),
            "(complaint_id IS NULL) = (position IS NULL)",
        )
    with op.batch_alter_table("form_entry") as batch_op:
        batch_op.alter_column("section", server_default=None)
        batch_op.create_index(
            op.f("ix_form_entry_section_form_entry_form_form_entry_filled_at"),
            ["section", "form", "filled_at"],
        )
        for column in ("customer_id", "employee_id"):
            batch_op.create_index(op.f(f"ix_form_entry_{column}"), [column])


def _money() -> None:
    with op.batch_alter_table("penalty") as batch_op:
        batch_op.add_column(sa.Column("sanctions", sa.JSON(), server_default="[]", nullable=False))
        batch_op.drop_constraint(op.f("ck_penalty_amount_is_positive"), type_="check")
        batch_op.create_check_constraint(op.f("ck_penalty_amount_is_no_debt"), "amount >= 0")
    with op.batch_alter_table("penalty") as batch_op:
        batch_op.alter_column("sanctions", server_default=None)


def _series_of_one_regulation() -> None:
    """Each regulation that uses a series goes on counting where the shared counter stood."""
    connection = op.get_bind()
    counters = connection.execute(
        sa.text(
            "SELECT DISTINCT c.series, c.period, c.last, p.key FROM number_counter c "
            "JOIN policy_rule r ON r.section = 'number' AND r.key = c.series "
            "JOIN policy_version v ON v.id = r.policy_version_id JOIN policy p ON p.id = v.policy_id"
        )
    ).all()
    connection.execute(sa.text("DELETE FROM number_counter"))
    for series, period, last, policy in counters:
        connection.execute(
            sa.text("INSERT INTO number_counter (series, period, last) VALUES (:s, :p, :l)"),
            {"s": f"{policy}/{series}", "p": period, "l": last},
        )


def downgrade() -> None:
    _series_of_all()
    with op.batch_alter_table("customer") as batch_op:
        batch_op.drop_column("tier")
    op.drop_table("customer_flag")
    with op.batch_alter_table("penalty") as batch_op:
        batch_op.drop_constraint(op.f("ck_penalty_amount_is_no_debt"), type_="check")
        batch_op.create_check_constraint(op.f("ck_penalty_amount_is_positive"), "amount > 0")
        batch_op.drop_column("sanctions")
    with op.batch_alter_table("form_entry") as batch_op:
        batch_op.drop_index(op.f("ix_form_entry_section_form_entry_form_form_entry_filled_at"))
        for column in ("customer_id", "employee_id"):
            batch_op.drop_index(op.f(f"ix_form_entry_{column}"))
        batch_op.drop_constraint(op.f("ck_form_entry_on_a_case_it_has_its_place"), type_="check")
        batch_op.drop_constraint(op.f("uq_form_entry_complaint_id_position"), type_="unique")
        for column, table in (("customer_id", "customer"), ("employee_id", "employee")):
            batch_op.drop_constraint(op.f(f"fk_form_entry_{column}_{table}"), type_="foreignkey")
        for column in ("section", "position", "round", "customer_id", "period", "employee_id"):
            batch_op.drop_column(column)
        batch_op.create_index(op.f("ix_form_entry_form"), ["form"])
        batch_op.create_index(op.f("ix_form_entry_complaint_id"), ["complaint_id"])
    with op.batch_alter_table("callback") as batch_op:
        batch_op.drop_column("method")
    with op.batch_alter_table("complaint") as batch_op:
        for column in ("first_asked", "linked", "finding", "valid", "concerned", "struck"):
            batch_op.drop_column(column)
        batch_op.drop_column("promised_at")
        batch_op.drop_column("informed_at")


def _series_of_all() -> None:
    """Back to one counter for a series, at the highest serial that any regulation gave."""
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT series, period, last FROM number_counter")).all()
    highest: dict[tuple[str, str], int] = {}
    for series, period, last in rows:
        key = (series.rpartition("/")[2], period)
        highest[key] = max(last, highest.get(key, 0))
    connection.execute(sa.text("DELETE FROM number_counter"))
    for (series, period), last in highest.items():
        connection.execute(
            sa.text("INSERT INTO number_counter (series, period, last) VALUES (:s, :p, :l)"),
            {"s": series, "p": period, "l": last},
        )
