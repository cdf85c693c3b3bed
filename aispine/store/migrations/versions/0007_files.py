"""Files, and their contents where the database keeps them.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op

from aispine.store.isolation import isolate

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_files()
    _create_chunks()
    for table in ("files", "file_chunks"):
        isolate(op.get_bind(), table, context.config.attributes["logins"])


def downgrade() -> None:
    op.drop_table("file_chunks")
    op.drop_table("files")


def _create_files() -> None:
    op.create_table(
        "files",
        sa.Column("file_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("storage", sa.Text(), nullable=False),
        sa.Column("complete", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("file_id", name="pk_files"),
    )
    op.create_index("ix_files_list", "files", ["tenant_id", "file_id"])
    op.create_index("ix_files_expires", "files", ["expires_at"], postgresql_where=sa.text("expires_at IS NOT NULL"))


def _create_chunks() -> None:
    op.create_table(
        "file_chunks",
        sa.Column("file_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["files.file_id"], name="fk_file_chunks_file_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", "number", name="pk_file_chunks"),
    )
    # Pictures and documents are compressed by themselves: trying it again only costs time.
    op.execute("ALTER TABLE file_chunks ALTER COLUMN content SET STORAGE EXTERNAL")
