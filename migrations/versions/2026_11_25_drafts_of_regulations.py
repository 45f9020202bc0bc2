"""Drafts of regulations, and what a company says where its regulation names somebody.

A version gains its life: whom it was drafted, approved, published and withdrawn by, what the last
check looked at, and when staff was told. A draft is stored as it was typed, so the keys of its
entries may repeat; every change of it is a row. Authorities' names and phone scripts are dated.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "drafts_of_regulations"
down_revision = "sheets_and_notices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "company_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy_id", sa.Integer(), nullable=False),
        sa.Column("section", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "section IN ('authority', 'script')", name=op.f("ck_company_text_section_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["policy.id"], name=op.f("fk_company_text_policy_id_policy")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company_text")),
        sa.UniqueConstraint(
            "policy_id",
            "section",
            "key",
            "from_on",
            name=op.f("uq_company_text_policy_id_section_key_from_on"),
        ),
    )
    with op.batch_alter_table("company_text", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_company_text_policy_id"), ["policy_id"], unique=False)

    op.create_table(
        "policy_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy_version_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("deed", sa.String(length=16), nullable=False),
        sa.Column("section", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["policy_version_id"],
            ["policy_version.id"],
            name=op.f("fk_policy_change_policy_version_id_policy_version"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_policy_change_user_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_change")),
    )
    with op.batch_alter_table("policy_change", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_policy_change_policy_version_id"), ["policy_version_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_policy_change_user_id"), ["user_id"], unique=False)

    with op.batch_alter_table("policy_rule", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        batch_op.drop_constraint(
            batch_op.f("uq_policy_rule_policy_version_id_section_key"), type_="unique"
        )
        batch_op.create_index(
            "ix_policy_rule_entry", ["policy_version_id", "section", "key"], unique=False
        )

    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        batch_op.add_column(sa.Column("based_on_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("drafted_by_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("drafted_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("checked_for", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("checked_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("findings", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("approved_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("published_by_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("told_staff_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("told_staff_proof", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("withdrawn_by_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("withdrawn_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("withdrawn_because", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        batch_op.create_index(
            batch_op.f("ix_policy_version_based_on_id"), ["based_on_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_policy_version_drafted_by_id"), ["drafted_by_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_policy_version_published_by_id"), ["published_by_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_policy_version_withdrawn_by_id"), ["withdrawn_by_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_policy_version_withdrawn_by_id_user"),
            "user",
            ["withdrawn_by_id"],
            ["id"],
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_policy_version_based_on_id_policy_version"),
            "policy_version",
            ["based_on_id"],
            ["id"],
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_policy_version_drafted_by_id_user"), "user", ["drafted_by_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_policy_version_published_by_id_user"),
            "user",
            ["published_by_id"],
            ["id"],
        )
    # Rows that were there begin to count at one; a new row says so itself.
    for table in ("policy_rule", "policy_version"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column("version", existing_type=sa.Integer(), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("fk_policy_version_published_by_id_user"), type_="foreignkey"
        )
        batch_op.drop_constraint(
            batch_op.f("fk_policy_version_drafted_by_id_user"), type_="foreignkey"
        )
        batch_op.drop_constraint(
            batch_op.f("fk_policy_version_based_on_id_policy_version"), type_="foreignkey"
        )
        batch_op.drop_constraint(
            batch_op.f("fk_policy_version_withdrawn_by_id_user"), type_="foreignkey"
        )
        batch_op.drop_index(batch_op.f("ix_policy_version_withdrawn_by_id"))
        batch_op.drop_index(batch_op.f("ix_policy_version_published_by_id"))
        batch_op.drop_index(batch_op.f("ix_policy_version_drafted_by_id"))
        batch_op.drop_index(batch_op.f("ix_policy_version_based_on_id"))
        batch_op.drop_column("version")
        batch_op.drop_column("withdrawn_because")
        batch_op.drop_column("withdrawn_at")
        batch_op.drop_column("withdrawn_by_id")
        batch_op.drop_column("told_staff_proof")
        batch_op.drop_column("told_staff_on")
        batch_op.drop_column("published_by_id")
        batch_op.drop_column("approved_at")
        batch_op.drop_column("findings")
        batch_op.drop_column("checked_at")
        batch_op.drop_column("checked_for")
        batch_op.drop_column("drafted_at")
        batch_op.drop_column("drafted_by_id")
        batch_op.drop_column("based_on_id")

    with op.batch_alter_table("policy_rule", schema=None) as batch_op:
        batch_op.drop_index("ix_policy_rule_entry")
        batch_op.create_unique_constraint(
            batch_op.f("uq_policy_rule_policy_version_id_section_key"),
            ["policy_version_id", "section", "key"],
        )
        batch_op.drop_column("version")

    with op.batch_alter_table("policy_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_policy_change_user_id"))
        batch_op.drop_index(batch_op.f("ix_policy_change_policy_version_id"))

    op.drop_table("policy_change")
    with op.batch_alter_table("company_text", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_company_text_policy_id"))

    op.drop_table("company_text")
