"""plexapi reading what the mirror keeps of films, page by page; a JSON line. Usage: URL TOKEN SECTION COUNT"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ["PLEXAPI_PLEXAPI_AUTORELOAD"] = "0"  # else each missing field is one more request

from plexapi.server import PlexServer

PAGE = 250


def main(url: str, token: str, section: str, count: int) -> None:
    library = PlexServer(url, token, timeout=60).library.section(section)
    cpu, wall, total, rows = time.process_time(), time.perf_counter(), 0, 0
    for start in range(0, count, PAGE):
        key = f"/library/sections/{library.key}/all?includeGuids=1&type=1&sort=addedAt:asc"
        for film in library.fetchItems(key, container_start=start, container_size=PAGE, maxresults=PAGE):
            rows += len(_row(film))
            total += 1
    told = {"titles": total, "cpu_s": time.process_time() - cpu, "seconds": time.perf_counter() - wall, "fields": rows}
    print(json.dumps(told), flush=True)


def _row(film) -> tuple:  # type: ignore[no-untyped-def, type-arg]
    """The fields of `daemon.core.library.ListedTitle`."""
    return (
        film.ratingKey, film.type, film.title, film.titleSort, film.originalTitle, film.year, film.duration,
        film.contentRating, film.rating, film.audienceRating, film.guid, film.thumb, film.addedAt, film.updatedAt,
        [guid.id for guid in film.guids], [one.tag for one in film.directors], [one.tag for one in film.roles],
        [one.tag for one in film.writers],
        [
            (
                media.id, media.container, media.videoCodec, media.audioCodec, media.audioChannels,
                media.videoResolution, media.width, media.height, media.bitrate, media.duration,
                [(part.id, part.file, part.size, part.container, part.duration) for part in media.parts],
            )
            for media in film.media
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
