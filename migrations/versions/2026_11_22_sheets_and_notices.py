"""Spreadsheets that are mirrored, and notices that are sent.

A file of a department or of the payroll has its tabs, columns and rows here, what both sides last
agreed on for the passes an old copy may still come from, and what somebody has to look at. A
notice gets ways to reach people. Those made before this day were never sent and stay so.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "sheets_and_notices"
down_revision = "first_record"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sheet_tab",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "audience",
            sa.Enum("department", "payroll", name="audience", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=31), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("statuses", sa.JSON(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet_tab")),
        sa.UniqueConstraint("audience", "key", name=op.f("uq_sheet_tab_audience_key")),
    )
    op.create_table(
        "notice_channel",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["department.id"],
            name=op.f("fk_notice_channel_department_id_department"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_channel")),
        sa.UniqueConstraint("name", name=op.f("uq_notice_channel_name")),
    )
    with op.batch_alter_table("notice_channel", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_notice_channel_department_id"), ["department_id"], unique=False
        )

    op.create_table(
        "sheet_column",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tab_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=80), nullable=False),
        sa.Column("header", sa.String(length=120), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tab_id"], ["sheet_tab.id"], name=op.f("fk_sheet_column_tab_id_sheet_tab")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet_column")),
        sa.UniqueConstraint("tab_id", "field", name=op.f("uq_sheet_column_tab_id_field")),
    )
    op.create_table(
        "sheet",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "audience",
            sa.Enum("department", "payroll", name="audience", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("department_id", sa.Integer(), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("pass_number", sa.Integer(), nullable=False),
        sa.Column("file_pass", sa.Integer(), nullable=True),
        sa.Column("fingerprint", sa.String(length=200), nullable=True),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("newborn", sa.JSON(), nullable=False),
        sa.Column("complete_at", sa.DateTime(), nullable=True),
        sa.Column("looked_at", sa.DateTime(), nullable=True),
        sa.Column("saved_at", sa.DateTime(), nullable=True),
        sa.Column("written_at", sa.DateTime(), nullable=True),
        sa.Column("refreshed_at", sa.DateTime(), nullable=True),
        sa.Column("today_at", sa.DateTime(), nullable=True),
        sa.Column("seen", sa.String(length=80), nullable=False),
        sa.Column("held_by", sa.String(length=120), nullable=True),
        sa.Column("held_since", sa.DateTime(), nullable=True),
        sa.Column("paused_at", sa.DateTime(), nullable=True),
        sa.Column("paused_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_sheet_department_id_department")
        ),
        sa.ForeignKeyConstraint(
            ["paused_by_id"], ["user.id"], name=op.f("fk_sheet_paused_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet")),
        sa.UniqueConstraint(
            "audience", "department_id", "year", name=op.f("uq_sheet_audience_department_id_year")
        ),
        sa.UniqueConstraint("name", name=op.f("uq_sheet_name")),
    )
    with op.batch_alter_table("sheet", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sheet_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sheet_paused_by_id"), ["paused_by_id"], unique=False)

    op.create_table(
        "sheet_pass",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=True),
        sa.Column("began_at", sa.DateTime(), nullable=False),
        sa.Column("saved_at", sa.DateTime(), nullable=True),
        sa.Column("written_at", sa.DateTime(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("undone_at", sa.DateTime(), nullable=True),
        sa.Column("undone_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sheet_id"], ["sheet.id"], name=op.f("fk_sheet_pass_sheet_id_sheet")
        ),
        sa.ForeignKeyConstraint(
            ["undone_by_id"], ["user.id"], name=op.f("fk_sheet_pass_undone_by_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet_pass")),
        sa.UniqueConstraint("sheet_id", "number", name=op.f("uq_sheet_pass_sheet_id_number")),
    )
    with op.batch_alter_table("sheet_pass", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sheet_pass_undone_by_id"), ["undone_by_id"], unique=False
        )

    op.create_table(
        "sheet_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=40), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("seen", sa.String(length=80), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("waiting", sa.JSON(), nullable=False),
        sa.Column("refused", sa.JSON(), nullable=False),
        sa.Column("typed", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_sheet_row_complaint_id_complaint")
        ),
        sa.ForeignKeyConstraint(
            ["sheet_id"], ["sheet.id"], name=op.f("fk_sheet_row_sheet_id_sheet")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet_row")),
        sa.UniqueConstraint(
            "sheet_id", "complaint_id", name=op.f("uq_sheet_row_sheet_id_complaint_id")
        ),
        sa.UniqueConstraint("sheet_id", "uid", name=op.f("uq_sheet_row_sheet_id_uid")),
    )
    with op.batch_alter_table("sheet_row", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sheet_row_complaint_id"), ["complaint_id"], unique=False
        )

    op.create_table(
        "notice_delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(length=40), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(), nullable=True),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["notice_channel.id"],
            name=op.f("fk_notice_delivery_channel_id_notice_channel"),
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_notice_delivery_notice_id_notice")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_delivery")),
        sa.UniqueConstraint("notice_id", "way", name=op.f("uq_notice_delivery_notice_id_way")),
    )
    with op.batch_alter_table("notice_delivery", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_notice_delivery_channel_id"), ["channel_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_notice_delivery_next_at"), ["next_at"], unique=False)

    op.create_table(
        "sheet_base",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("from_pass", sa.Integer(), nullable=False),
        sa.Column("until_pass", sa.Integer(), nullable=True),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["row_id"], ["sheet_row.id"], name=op.f("fk_sheet_base_row_id_sheet_row")
        ),
        sa.ForeignKeyConstraint(
            ["sheet_id"], ["sheet.id"], name=op.f("fk_sheet_base_sheet_id_sheet")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet_base")),
        sa.UniqueConstraint("row_id", "from_pass", name=op.f("uq_sheet_base_row_id_from_pass")),
    )
    with op.batch_alter_table("sheet_base", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sheet_base_row_id"), ["row_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_sheet_base_sheet_id_sheet_base_until_pass"),
            ["sheet_id", "until_pass"],
            unique=False,
        )

    op.create_table(
        "sheet_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("pass_number", sa.Integer(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=True),
        sa.Column("complaint_id", sa.Integer(), nullable=True),
        sa.Column("field", sa.String(length=80), nullable=True),
        sa.Column(
            "what",
            sa.Enum(
                "taken",
                "written",
                "put_back",
                "refused",
                "conflict",
                "outdated",
                "appended",
                "blanked",
                name="celldeed",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("because", sa.Text(), nullable=True),
        sa.Column("journal_seq", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_sheet_change_complaint_id_complaint")
        ),
        sa.ForeignKeyConstraint(
            ["row_id"], ["sheet_row.id"], name=op.f("fk_sheet_change_row_id_sheet_row")
        ),
        sa.ForeignKeyConstraint(
            ["sheet_id"], ["sheet.id"], name=op.f("fk_sheet_change_sheet_id_sheet")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet_change")),
    )
    with op.batch_alter_table("sheet_change", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sheet_change_complaint_id"), ["complaint_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_sheet_change_row_id_sheet_change_pass_number"),
            ["row_id", "pass_number"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_sheet_change_sheet_id_sheet_change_pass_number"),
            ["sheet_id", "pass_number"],
            unique=False,
        )

    op.create_table(
        "sheet_problem",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=True),
        sa.Column("complaint_id", sa.Integer(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "conflict",
                "refused",
                "repeated",
                "not_ours",
                "structure",
                "file",
                "copy",
                name="problemkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("field", sa.String(length=80), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("base", sa.Text(), nullable=True),
        sa.Column("ours", sa.Text(), nullable=True),
        sa.Column("theirs", sa.Text(), nullable=True),
        sa.Column("found_at", sa.DateTime(), nullable=False),
        sa.Column(
            "choice",
            sa.Enum(
                "record",
                "sheet",
                "undo",
                "accept",
                "seen",
                "over",
                name="choice",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("chosen_at", sa.DateTime(), nullable=True),
        sa.Column("chosen_by_id", sa.Integer(), nullable=True),
        sa.Column("settled_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["chosen_by_id"], ["user.id"], name=op.f("fk_sheet_problem_chosen_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_sheet_problem_complaint_id_complaint")
        ),
        sa.ForeignKeyConstraint(
            ["row_id"], ["sheet_row.id"], name=op.f("fk_sheet_problem_row_id_sheet_row")
        ),
        sa.ForeignKeyConstraint(
            ["sheet_id"], ["sheet.id"], name=op.f("fk_sheet_problem_sheet_id_sheet")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sheet_problem")),
    )
    with op.batch_alter_table("sheet_problem", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sheet_problem_chosen_by_id"), ["chosen_by_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_sheet_problem_complaint_id"), ["complaint_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_sheet_problem_row_id"), ["row_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sheet_problem_sheet_id"), ["sheet_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_sheet_problem_sheet_id_sheet_problem_settled_at"),
            ["sheet_id", "settled_at"],
            unique=False,
        )

    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sheet_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("department_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("spread_at", sa.DateTime(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_notice_department_id"), ["department_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_notice_sheet_id"), ["sheet_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_notice_spread_at_notice_id"), ["spread_at", "id"], unique=False
        )
        batch_op.create_unique_constraint(
            batch_op.f("uq_notice_sheet_id_kind_occasion"), ["sheet_id", "kind", "occasion"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_notice_department_id_department"),
            "department",
            ["department_id"],
            ["id"],
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_notice_sheet_id_sheet"), "sheet", ["sheet_id"], ["id"]
        )
        batch_op.drop_column("sent_at")
    op.execute(sa.text("UPDATE notice SET spread_at = made_at"))


def downgrade() -> None:
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sent_at", sa.DateTime(), nullable=True))
        batch_op.drop_constraint(batch_op.f("fk_notice_sheet_id_sheet"), type_="foreignkey")
        batch_op.drop_constraint(
            batch_op.f("fk_notice_department_id_department"), type_="foreignkey"
        )
        batch_op.drop_constraint(batch_op.f("uq_notice_sheet_id_kind_occasion"), type_="unique")
        batch_op.drop_index(batch_op.f("ix_notice_spread_at_notice_id"))
        batch_op.drop_index(batch_op.f("ix_notice_sheet_id"))
        batch_op.drop_index(batch_op.f("ix_notice_department_id"))
        batch_op.drop_column("spread_at")
        batch_op.drop_column("department_id")
        batch_op.drop_column("sheet_id")

    with op.batch_alter_table("sheet_problem", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sheet_problem_sheet_id_sheet_problem_settled_at"))
        batch_op.drop_index(batch_op.f("ix_sheet_problem_sheet_id"))
        batch_op.drop_index(batch_op.f("ix_sheet_problem_row_id"))
        batch_op.drop_index(batch_op.f("ix_sheet_problem_complaint_id"))
        batch_op.drop_index(batch_op.f("ix_sheet_problem_chosen_by_id"))

    op.drop_table("sheet_problem")
    with op.batch_alter_table("sheet_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sheet_change_sheet_id_sheet_change_pass_number"))
        batch_op.drop_index(batch_op.f("ix_sheet_change_row_id_sheet_change_pass_number"))
        batch_op.drop_index(batch_op.f("ix_sheet_change_complaint_id"))

    op.drop_table("sheet_change")
    with op.batch_alter_table("sheet_base", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sheet_base_sheet_id_sheet_base_until_pass"))
        batch_op.drop_index(batch_op.f("ix_sheet_base_row_id"))

    op.drop_table("sheet_base")
    with op.batch_alter_table("notice_delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_delivery_next_at"))
        batch_op.drop_index(batch_op.f("ix_notice_delivery_channel_id"))

    op.drop_table("notice_delivery")
    with op.batch_alter_table("sheet_row", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sheet_row_complaint_id"))

    op.drop_table("sheet_row")
    with op.batch_alter_table("sheet_pass", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sheet_pass_undone_by_id"))

    op.drop_table("sheet_pass")
    with op.batch_alter_table("sheet", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sheet_paused_by_id"))
        batch_op.drop_index(batch_op.f("ix_sheet_department_id"))

    op.drop_table("sheet")
    op.drop_table("sheet_column")
    with op.batch_alter_table("notice_channel", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_channel_department_id"))

    op.drop_table("notice_channel")
    op.drop_table("sheet_tab")
