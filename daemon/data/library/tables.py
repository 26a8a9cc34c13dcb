"""Tables of the mirror.

A title keeps its `id` while its server gives it other rating keys, so that what refers to a title goes on to do so.
Every unit of work that changes titles of a library first raises the library's `revision`, which makes such units wait
for each other, and writes the new one into each title it changes: whoever knows the titles up to a revision asks for
those above it and misses none.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, SmallInteger, Table, Text, UniqueConstraint

from daemon.data.columns import BigInt, Instant, metadata

libraries = Table(
    "libraries",
    metadata,
    Column("id", BigInt, primary_key=True),
    Column("server", Text, nullable=False),
    Column("key", Text, nullable=False),  # of the section on its server
    Column("uuid", Text),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("stamp", Text),  # of the content when it was last read whole; NULL: read it, whatever the server says
    Column("read_at", Instant),  # when it was last read whole; NULL: never
    Column("revision", BigInt, nullable=False),
    UniqueConstraint("server", "key"),
    CheckConstraint("kind IN ('movie', 'show', 'artist')", name="kind"),
    sqlite_autoincrement=True,
)

library_titles = Table(
    "library_titles",
    metadata,
    Column("id", BigInt, primary_key=True),
    Column("library_id", ForeignKey("libraries.id", ondelete="CASCADE"), nullable=False),
    Column("server", Text, nullable=False),
    Column("rating_key", BigInt, nullable=False),
    Column("kind", Text, nullable=False),
    Column("parent_key", BigInt),
    Column("grandparent_key", BigInt),
    Column("index_no", BigInt),
    Column("parent_index_no", BigInt),
    Column("name", Text, nullable=False),
    Column("sort_name", Text),
    Column("original_name", Text),
    Column("parent_name", Text),
    Column("grandparent_name", Text),
    Column("year", BigInt),
    Column("duration_ms", BigInt),
    Column("content_rating", Text),
    Column("rating_tenths", BigInt),
    Column("audience_rating_tenths", BigInt),
    Column("guid", Text),
    Column("thumb", Text),
    Column("leaf_count", BigInt),
    Column("added_at", Instant),
    Column("updated_at", Instant),
    Column("people", Text),  # JSON, as listings name them
    Column("digest", BigInt, nullable=False),
    Column("revision", BigInt, nullable=False),  # of the library when it was last changed
    Column("first_pass", BigInt, nullable=False),  # the pass over its library that found it
    Column("seen_pass", BigInt, nullable=False),  # and the last one that did
    UniqueConstraint("server", "rating_key"),
    Index("ix_library_titles_revision", "library_id", "revision"),
    Index("ix_library_titles_added", "library_id", "kind", "added_at"),
    Index("ix_library_titles_guid", "guid"),
    sqlite_autoincrement=True,
)

library_versions = Table(
    "library_versions",
    metadata,
    Column("title_id", ForeignKey("library_titles.id", ondelete="CASCADE"), primary_key=True),
    Column("media_id", BigInt, primary_key=True, autoincrement=False),  # Plex's number
    Column("container", Text),
    Column("video_codec", Text),
    Column("audio_codec", Text),
    Column("audio_channels", BigInt),
    Column("resolution", Text),
    Column("width", BigInt),
    Column("height", BigInt),
    Column("bitrate_kbps", BigInt),
    Column("duration_ms", BigInt),
    sqlite_with_rowid=False,
)

library_parts = Table(
    "library_parts",
    metadata,
    Column("title_id", ForeignKey("library_titles.id", ondelete="CASCADE"), primary_key=True),
    Column("part_id", BigInt, primary_key=True, autoincrement=False),  # Plex's number
    Column("media_id", BigInt, nullable=False),
    Column("file", Text),
    Column("size_bytes", BigInt),
    Column("container", Text),
    Column("duration_ms", BigInt),
    sqlite_with_rowid=False,
)

library_guids = Table(
    "library_guids",
    metadata,
    Column("title_id", ForeignKey("library_titles.id", ondelete="CASCADE"), primary_key=True),
    Column("guid", Text, primary_key=True, index=True),  # imdb://tt0096697, tmdb://456, tvdb://71663
    sqlite_with_rowid=False,
)

library_tags = Table(
    "library_tags",
    metadata,
    Column("id", BigInt, primary_key=True),
    Column("library_id", ForeignKey("libraries.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),  # the server's name for it: an id, of a collection its rating key
    Column("name", Text, nullable=False),
    UniqueConstraint("library_id", "kind", "key"),
    CheckConstraint("kind IN ('genre', 'collection', 'label')", name="kind"),
    sqlite_autoincrement=True,
)

library_title_tags = Table(
    "library_title_tags",
    metadata,
    Column("title_id", ForeignKey("library_titles.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("library_tags.id", ondelete="CASCADE"), primary_key=True, index=True),
    sqlite_with_rowid=False,
)

library_passes = Table(
    "library_passes",
    metadata,
    Column("library_id", ForeignKey("libraries.id", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInt, nullable=False),
    Column("stage", SmallInteger, nullable=False),  # which kind of its titles is being read; beyond them its tags
    Column("next_start", BigInt, nullable=False),  # where in the listing to go on
    Column("attempt", SmallInteger, nullable=False),  # of this stage, from 1
    Column("is_whole", SmallInteger, nullable=False),  # 1 while each stage so far was read without contradictions
    Column("done", BigInt, nullable=False),  # titles read in all stages
    Column("total", BigInt, nullable=False),  # as far as known
    Column("stamp", Text),  # of the library when the pass began
    Column("owner", Text),  # the process that reads; NULL while none does
    Column("owned_until", Instant),
    Column("begun_at", Instant, nullable=False),
    Column("ended_at", Instant),  # NULL: it was interrupted, or goes on
    Column("problem", Text),  # why it stopped, a sentence
)
