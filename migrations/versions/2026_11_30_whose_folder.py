"""An installation has an identity, which the folder of the workbooks shows too.

A folder that is not mounted, or that belongs to another installation, must not be taken for the
truth. A workbook also knows since when looks at it fail, so that people are told.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "whose_folder"
down_revision = "department_meanings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("identity", sa.String(length=32), nullable=False),
        sa.Column("folder_marked_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
        sa.UniqueConstraint("identity", name=op.f("uq_installation_identity")),
    )
    with op.batch_alter_table("sheet", schema=None) as batch_op:
        batch_op.add_column(sa.Column("failing", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("sheet", schema=None) as batch_op:
        batch_op.drop_column("failing")
    op.drop_table("installation")
