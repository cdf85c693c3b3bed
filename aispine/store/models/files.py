"""Files and, where they are kept in the database, their content."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from aispine.store.models.base import Base, Id, Timestamp


class FileRow(Base):
    """A file; hidden until `complete`. `storage` says where its content is: `postgresql` or `s3`.

    A `sensitive` one, such as a picture that a person sent, is not for everybody with a key.
    """

    __tablename__ = "files"
    __table_args__ = (
        Index("ix_files_list", "tenant_id", "file_id"),
        Index("ix_files_expires", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
    )

    file_id: Mapped[str] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(Text)
    storage: Mapped[str] = mapped_column(Text)
    complete: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    sensitive: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())
    expires_at: Mapped[datetime | None] = mapped_column(Timestamp)


class FileChunkRow(Base):
    """A piece of a content, numbered from 0."""

    __tablename__ = "file_chunks"

    file_id: Mapped[str] = mapped_column(ForeignKey("files.file_id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Text)
    content: Mapped[bytes] = mapped_column(LargeBinary)
