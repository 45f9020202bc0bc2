"""A calendar keeps what it was: days and hours hold from one version of it to another.

A term has to be counted again as it was counted on its day. What a calendar said until now
becomes its first version, which holds for all that was before. Going back keeps the newest
version and forgets the others.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "calendar_versions"
down_revision = "drafts_of_regulations"
branch_labels = None
depends_on = None

HOURS = ("slots", "half_slots", "coverage_from", "coverage_until")
LAYER = sa.Enum("official", "company", name="daylayer", native_enum=False, length=32)


def upgrade() -> None:
    op.create_table(
        "calendar_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("calendar_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("slots", sa.JSON(), nullable=False),
        sa.Column("half_slots", sa.JSON(), nullable=False),
        sa.Column("coverage_from", sa.Date(), nullable=False),
        sa.Column("coverage_until", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=True),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendar.id"], name=op.f("fk_calendar_version_calendar_id_calendar")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_version")),
        sa.UniqueConstraint(
            "calendar_id", "number", name=op.f("uq_calendar_version_calendar_id_number")
        ),
    )
    op.execute(
        "INSERT INTO calendar_version (calendar_id, number, slots, half_slots, coverage_from,"
        " coverage_until, made_by, reason)"
        " SELECT id, version, slots, half_slots, coverage_from, coverage_until, '', ''"
        " FROM calendar"
    )
    with op.batch_alter_table("calendar_day", schema=None) as batch_op:
        batch_op.add_column(sa.Column("layer", LAYER, nullable=True))
        batch_op.add_column(sa.Column("from_version", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("until_version", sa.Integer(), nullable=True))
        batch_op.drop_constraint(op.f("uq_calendar_day_calendar_id_on"), type_="unique")
    op.execute(
        "UPDATE calendar_day SET"
        " layer = CASE WHEN source LIKE 'chinesecalendar%' THEN 'official' ELSE 'company' END,"
        " from_version = (SELECT version FROM calendar WHERE calendar.id = calendar_id)"
    )
    with op.batch_alter_table("calendar_day", schema=None) as batch_op:
        batch_op.alter_column("layer", existing_type=LAYER, nullable=False)
        batch_op.alter_column("from_version", existing_type=sa.Integer(), nullable=False)
        batch_op.create_check_constraint(
            op.f("ck_calendar_day_ended_after_it_began"), "until_version > from_version"
        )
        batch_op.create_index(
            batch_op.f("ix_calendar_day_calendar_id_calendar_day_on_calendar_day_layer"),
            ["calendar_id", "on", "layer"],
            unique=True,
            sqlite_where=sa.text("until_version IS NULL"),
            postgresql_where=sa.text("until_version IS NULL"),
        )
    with op.batch_alter_table("calendar", schema=None) as batch_op:
        for name in HOURS:
            batch_op.drop_column(name)


def downgrade() -> None:
    with op.batch_alter_table("calendar", schema=None) as batch_op:
        batch_op.add_column(sa.Column("slots", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("half_slots", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("coverage_from", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("coverage_until", sa.Date(), nullable=True))
    for name in HOURS:
        op.execute(
            f"UPDATE calendar SET {name} = (SELECT {name} FROM calendar_version"
            " WHERE calendar_id = calendar.id AND number = calendar.version)"
        )
    with op.batch_alter_table("calendar", schema=None) as batch_op:
        batch_op.alter_column("slots", existing_type=sa.JSON(), nullable=False)
        batch_op.alter_column("half_slots", existing_type=sa.JSON(), nullable=False)
        batch_op.alter_column("coverage_from", existing_type=sa.Date(), nullable=False)
        batch_op.alter_column("coverage_until", existing_type=sa.Date(), nullable=False)
    # What the company says about a day stands above what the plan says.
    op.execute("DELETE FROM calendar_day WHERE until_version IS NOT NULL")
    op.execute(
        "DELETE FROM calendar_day WHERE layer = 'official' AND EXISTS ("
        " SELECT 1 FROM calendar_day AS other WHERE other.layer = 'company'"
        ' AND other.calendar_id = calendar_day.calendar_id AND other."on" = calendar_day."on")'
    )
    with op.batch_alter_table("calendar_day", schema=None) as batch_op:
        batch_op.drop_index(
            batch_op.f("ix_calendar_day_calendar_id_calendar_day_on_calendar_day_layer")
        )
        batch_op.drop_constraint(op.f("ck_calendar_day_ended_after_it_began"), type_="check")
        for name in ("layer", "from_version", "until_version"):
            batch_op.drop_column(name)
        batch_op.create_unique_constraint(
            op.f("uq_calendar_day_calendar_id_on"), ["calendar_id", "on"]
        )
    op.drop_table("calendar_version")
