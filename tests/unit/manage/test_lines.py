from __future__ import annotations

import pytest

from daemon.core.ids import RatingKey, ServerId
from daemon.core.media import Title, TitleKind, TitleRef
from daemon.core.text import days_line, size_line
from daemon.modules.manage import lines
from daemon.services.library.stock import Changes, Double, Shown, VersionSize


def shown(number: int) -> Shown:
    ref = TitleRef(ServerId("attic"), RatingKey(str(number)))
    return Shown(number, Title(ref, TitleKind.MOVIE, f"Film {number}", 2020), None, None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (Changes(0, 0, 0, ()), "Nothing changed."),
        (Changes(1, 0, 0, ()), "1 title added"),
        (Changes(0, 2, 1200, ()), "2 titles removed · 1,200 changed"),
        (Changes(3, 1, 2, ()), "3 titles added · 1 removed · 2 changed"),
    ],
)
def test_changes(changes: Changes, said: str) -> None:
    assert lines.changes_line(changes) == said


@pytest.mark.parametrize(
    ("size_bytes", "said"), [(0, "0 MB"), (812_000_000, "812 MB"), (4_140_000_000, "4.1 GB"), (12 * 10**12, "12.0 TB")]
)
def test_sizes(size_bytes: int, said: str) -> None:
    assert size_line(size_bytes) == said


def test_doubles() -> None:
    large = VersionSize(1, "4k", "hevc", 22_100_000_000, "/a.mkv")
    small = VersionSize(1, "1080", "h264", 8_400_000_000, "/b.mkv")
    one = Double((shown(1),), (large, small))
    assert lines.double_line(one) == "2 versions · 4K HEVC 22.1 GB, 1080p H264 8.4 GB"
    assert one.saved_bytes == 8_400_000_000
    two = Double((shown(1), shown(2)), (large, VersionSize(2, None, None, 22_100_000_000, "/a.mkv")))
    assert lines.double_line(two) == "2 titles · 4K HEVC 22.1 GB, 22.1 GB"
    assert two.saved_bytes == 0  # one file stands behind both


def test_spans() -> None:
    assert [days_line(count) for count in (1, 2, 3650)] == ["1 day", "2 days", "3,650 days"]
