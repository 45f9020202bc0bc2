"""A case knows the form it was registered with, so that a form sent twice makes one case.

A line that breaks, or somebody who goes back and sends again, would otherwise double it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "form_keys"
down_revision = "whose_folder"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("complaint", schema=None) as batch_op:
        batch_op.add_column(sa.Column("form_key", sa.String(length=64), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_complaint_form_key"), ["form_key"])


def downgrade() -> None:
    with op.batch_alter_table("complaint", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_complaint_form_key"), type_="unique")
        batch_op.drop_column("form_key")
