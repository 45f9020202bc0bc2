"""Versions tried on past cases.

What somebody asked to be tried, how far the worker is, the totals, and each case that would have
come out otherwise. No case and no penalty is touched by it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "what_if"
down_revision = "what_is_written_down"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "what_if",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy_version_id", sa.Integer(), nullable=False),
        sa.Column("checksum", sa.String(length=64), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "running",
                "done",
                "failed",
                name="trialstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.Column("after_id", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("failure", sa.JSON(), nullable=True),
        sa.Column("made_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint("until_on >= from_on", name=op.f("ck_what_if_ends_after_it_begins")),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["user.id"], name=op.f("fk_what_if_asked_by_id_user")
        ),
        sa.ForeignKeyConstraint(
            ["policy_version_id"],
            ["policy_version.id"],
            name=op.f("fk_what_if_policy_version_id_policy_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_what_if")),
    )
    with op.batch_alter_table("what_if", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_what_if_asked_at_what_if_id"), ["asked_at", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_what_if_asked_by_id"), ["asked_by_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_what_if_policy_version_id"), ["policy_version_id"], unique=False
        )

    op.create_table(
        "what_if_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("what_if_id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["complaint.id"], name=op.f("fk_what_if_case_complaint_id_complaint")
        ),
        sa.ForeignKeyConstraint(
            ["what_if_id"], ["what_if.id"], name=op.f("fk_what_if_case_what_if_id_what_if")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_what_if_case")),
        sa.UniqueConstraint(
            "what_if_id", "complaint_id", name=op.f("uq_what_if_case_what_if_id_complaint_id")
        ),
    )
    with op.batch_alter_table("what_if_case", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_what_if_case_complaint_id"), ["complaint_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("what_if_case", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_what_if_case_complaint_id"))

    op.drop_table("what_if_case")
    with op.batch_alter_table("what_if", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_what_if_policy_version_id"))
        batch_op.drop_index(batch_op.f("ix_what_if_asked_by_id"))
        batch_op.drop_index(batch_op.f("ix_what_if_asked_at_what_if_id"))

    op.drop_table("what_if")
