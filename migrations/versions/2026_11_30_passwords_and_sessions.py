"""A password that somebody else set is changed at the first login, and logging out ends a session.

Whoever has an account already is not asked: nobody knows who set the password. A weak one is noticed
when it is typed.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "passwords_and_sessions"
down_revision = "form_keys"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.add_column(sa.Column("must_change_password", sa.Boolean(), nullable=True))
    user = sa.table("user", sa.column("must_change_password", sa.Boolean()))
    op.execute(sa.update(user).values(must_change_password=sa.false()))
    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.alter_column("must_change_password", existing_type=sa.Boolean(), nullable=False)
    op.create_table(
        "ended_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ended_session")),
        sa.UniqueConstraint("key", name=op.f("uq_ended_session_key")),
    )
    op.create_index(op.f("ix_ended_session_at"), "ended_session", ["at"])


def downgrade() -> None:
    op.drop_table("ended_session")
    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.drop_column("must_change_password")
