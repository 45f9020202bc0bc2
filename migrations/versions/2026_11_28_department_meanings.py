"""A form about what a regulation's department means knows which version of it was seen.

Rows were read only; now administrators change them on a page, and of two who do so at once the
second is told.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "department_meanings"
down_revision = "provisional_due_times"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("department_meaning", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("department_meaning", schema=None) as batch_op:
        batch_op.alter_column("version", existing_type=sa.Integer(), server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("department_meaning", schema=None) as batch_op:
        batch_op.drop_column("version")
