from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.discord.custom_ids import GRAMMAR, CustomId, Signer

KEY = b"k" * 32
words = st.from_regex(r"[a-z][a-z0-9_]{0,15}", fullmatch=True)
parts = st.text(st.characters(exclude_characters=":.", exclude_categories=("Zs", "Zl", "Zp", "Cc", "Cs")), min_size=1)
custom_ids = st.builds(CustomId, words, words, st.lists(parts.filter(lambda t: not t.isspace()), max_size=5).map(tuple))


def written(custom_id: CustomId) -> str | None:
    try:
        return Signer(KEY).write(custom_id)
    except ValueError:
        return None


@settings(deadline=None)
@given(custom_ids)
def test_what_is_written_is_read_back(custom_id: CustomId) -> None:
    text = written(custom_id)
    if text is None:
        assert len(f"v1:{custom_id.module}:{custom_id.action}:{'.'.join(custom_id.ids)}:123456") > 100 or any(
            ch.isspace() for part in custom_id.ids for ch in part
        )
        return
    assert len(text) <= 100
    assert GRAMMAR.fullmatch(text)
    assert Signer(KEY).read(text) == custom_id


@settings(deadline=None)
@given(st.text(max_size=120))
def test_any_text_is_either_not_ours_or_nothing_breaks(text: str) -> None:
    assert Signer(KEY).read(text) is None


@settings(deadline=None)
@given(custom_ids, st.data())
def test_one_changed_character_is_a_forgery(custom_id: CustomId, data: st.DataObject) -> None:
    text = written(custom_id)
    if text is None:
        return
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(exclude_characters=text[at]))
    assert Signer(KEY).read(text[:at] + other + text[at + 1 :]) is None


def test_another_installations_ids_are_not_ours() -> None:
    text = Signer(b"x" * 32).write(CustomId("playback", "pause", ("42",)))
    assert Signer(KEY).read(text) is None


@pytest.mark.parametrize("ids", [("",), ("a:b",), ("a.b",), ("a b",), ("x" * 100,)])
def test_ids_that_could_be_misread_are_refused(ids: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"ids of a component|at most 100"):
        Signer(KEY).write(CustomId("playback", "pause", ids))


def test_signing_without_a_key_is_an_error_and_the_key_is_not_shown() -> None:
    with pytest.raises(RuntimeError):
        Signer().write(CustomId("playback", "pause"))
    assert "kkk" not in repr(Signer(KEY))
