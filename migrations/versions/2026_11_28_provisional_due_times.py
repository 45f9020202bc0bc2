"""A case knows whether its next due time is provisional, as its clocks do.

Lists, the pages for a phone and spreadsheets say it, and none of them may ask for every clock of
every case.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "provisional_due_times"
down_revision = "what_if"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("complaint", schema=None) as batch_op:
        batch_op.add_column(sa.Column("due_provisional", sa.Boolean(), nullable=True))
    complaint = sa.table(
        "complaint", sa.column("id"), sa.column("due_at"), sa.column("due_provisional")
    )
    clock = sa.table(
        "deadline",
        sa.column("complaint_id"),
        sa.column("state"),
        sa.column("due_at"),
        sa.column("provisional", sa.Boolean()),
    )
    uncertain = sa.exists().where(
        clock.c.complaint_id == complaint.c.id,
        clock.c.state == "running",
        clock.c.due_at == complaint.c.due_at,
        clock.c.provisional.is_(sa.true()),
    )
    op.execute(sa.update(complaint).values(due_provisional=uncertain))
    with op.batch_alter_table("complaint", schema=None) as batch_op:
        batch_op.alter_column("due_provisional", existing_type=sa.Boolean(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("complaint", schema=None) as batch_op:
        batch_op.drop_column("due_provisional")
