"""The mirror of the libraries"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_libraries()
    _create_titles()
    _create_files()
    _create_tags()
    _create_passes()


def _create_libraries() -> None:
    op.create_table(
        "libraries",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("uuid", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("stamp", sa.Text()),
        sa.Column("read_at", _BIG),
        sa.Column("revision", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_libraries")),
        sa.UniqueConstraint("server", "key", name=op.f("uq_libraries_server_key")),
        sa.CheckConstraint("kind IN ('movie', 'show', 'artist')", name=op.f("ck_libraries_kind")),
        sqlite_autoincrement=True,
    )


def _create_titles() -> None:
    op.create_table(
        "library_titles",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("library_id", _BIG, nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("rating_key", _BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("parent_key", _BIG),
        sa.Column("grandparent_key", _BIG),
        sa.Column("index_no", _BIG),
        sa.Column("parent_index_no", _BIG),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sort_name", sa.Text()),
        sa.Column("original_name", sa.Text()),
        sa.Column("parent_name", sa.Text()),
        sa.Column("grandparent_name", sa.Text()),
        sa.Column("year", _BIG),
        sa.Column("duration_ms", _BIG),
        sa.Column("content_rating", sa.Text()),
        sa.Column("rating_tenths", _BIG),
        sa.Column("audience_rating_tenths", _BIG),
        sa.Column("guid", sa.Text()),
        sa.Column("thumb", sa.Text()),
        sa.Column("leaf_count", _BIG),
        sa.Column("added_at", _BIG),
        sa.Column("updated_at", _BIG),
        sa.Column("people", sa.Text()),
        sa.Column("digest", _BIG, nullable=False),
        sa.Column("revision", _BIG, nullable=False),
        sa.Column("first_pass", _BIG, nullable=False),
        sa.Column("seen_pass", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_titles")),
        sa.UniqueConstraint("server", "rating_key", name=op.f("uq_library_titles_server_rating_key")),
        sa.ForeignKeyConstraint(
            ["library_id"], ["libraries.id"], name=op.f("fk_library_titles_library_id"), ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_library_titles_added", "library_titles", ["library_id", "kind", "added_at"])
    op.create_index("ix_library_titles_guid", "library_titles", ["guid"])
    op.create_index("ix_library_titles_revision", "library_titles", ["library_id", "revision"])


def _create_files() -> None:
    op.create_table(
        "library_versions",
        sa.Column("title_id", _BIG, nullable=False),
        sa.Column("media_id", _BIG, nullable=False, autoincrement=False),
        sa.Column("container", sa.Text()),
        sa.Column("video_codec", sa.Text()),
        sa.Column("audio_codec", sa.Text()),
        sa.Column("audio_channels", _BIG),
        sa.Column("resolution", sa.Text()),
        sa.Column("width", _BIG),
        sa.Column("height", _BIG),
        sa.Column("bitrate_kbps", _BIG),
        sa.Column("duration_ms", _BIG),
        sa.PrimaryKeyConstraint("title_id", "media_id", name=op.f("pk_library_versions")),
        sa.ForeignKeyConstraint(
            ["title_id"], ["library_titles.id"], name=op.f("fk_library_versions_title_id"), ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "library_parts",
        sa.Column("title_id", _BIG, nullable=False),
        sa.Column("part_id", _BIG, nullable=False, autoincrement=False),
        sa.Column("media_id", _BIG, nullable=False),
        sa.Column("file", sa.Text()),
        sa.Column("size_bytes", _BIG),
        sa.Column("container", sa.Text()),
        sa.Column("duration_ms", _BIG),
        sa.PrimaryKeyConstraint("title_id", "part_id", name=op.f("pk_library_parts")),
        sa.ForeignKeyConstraint(
            ["title_id"], ["library_titles.id"], name=op.f("fk_library_parts_title_id"), ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "library_guids",
        sa.Column("title_id", _BIG, nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("title_id", "guid", name=op.f("pk_library_guids")),
        sa.ForeignKeyConstraint(
            ["title_id"], ["library_titles.id"], name=op.f("fk_library_guids_title_id"), ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_library_guids_guid", "library_guids", ["guid"])


def _create_tags() -> None:
    op.create_table(
        "library_tags",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("library_id", _BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_tags")),
        sa.UniqueConstraint("library_id", "kind", "key", name=op.f("uq_library_tags_library_id_kind_key")),
        sa.CheckConstraint("kind IN ('genre', 'collection', 'label')", name=op.f("ck_library_tags_kind")),
        sa.ForeignKeyConstraint(
            ["library_id"], ["libraries.id"], name=op.f("fk_library_tags_library_id"), ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "library_title_tags",
        sa.Column("title_id", _BIG, nullable=False),
        sa.Column("tag_id", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("title_id", "tag_id", name=op.f("pk_library_title_tags")),
        sa.ForeignKeyConstraint(
            ["title_id"], ["library_titles.id"], name=op.f("fk_library_title_tags_title_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["library_tags.id"], name=op.f("fk_library_title_tags_tag_id"), ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_library_title_tags_tag_id", "library_title_tags", ["tag_id"])


def _create_passes() -> None:
    op.create_table(
        "library_passes",
        sa.Column("library_id", _BIG, nullable=False),
        sa.Column("number", _BIG, nullable=False),
        sa.Column("stage", sa.SmallInteger(), nullable=False),
        sa.Column("next_start", _BIG, nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("is_whole", sa.SmallInteger(), nullable=False),
        sa.Column("done", _BIG, nullable=False),
        sa.Column("total", _BIG, nullable=False),
        sa.Column("stamp", sa.Text()),
        sa.Column("owner", sa.Text()),
        sa.Column("owned_until", _BIG),
        sa.Column("begun_at", _BIG, nullable=False),
        sa.Column("ended_at", _BIG),
        sa.Column("problem", sa.Text()),
        sa.PrimaryKeyConstraint("library_id", name=op.f("pk_library_passes")),
        sa.ForeignKeyConstraint(
            ["library_id"], ["libraries.id"], name=op.f("fk_library_passes_library_id"), ondelete="CASCADE"
        ),
    )
