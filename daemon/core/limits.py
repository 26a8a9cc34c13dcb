"""Every bound of the daemon, with its unit. Bounds that an operator may change are settings instead."""

from __future__ import annotations

# Discord (developer documentation; docs/architecture.md names the rules)
AUTOCOMPLETE_CHOICES_MAX = 25
CHOICE_CHARS_MAX = 100  # name and value of a choice
SELECT_OPTIONS_MAX = 25
CUSTOM_ID_CHARS_MAX = 100
MESSAGE_CHARS_MAX = 2_000
LAYOUT_CHARS_MAX = 4_000  # all text shown by one Components V2 message
LAYOUT_COMPONENTS_MAX = 40
BUTTON_LABEL_CHARS_MAX = 80
MODAL_TITLE_CHARS_MAX = 45
INTERACTION_TOKEN_S = 15 * 60
FIRST_ANSWER_S = 3.0
DEFER_AFTER_S = 1.2  # leaves room for a slow callback before Discord gives up at 3 s

# Input
QUERY_CHARS_MAX = 200  # what a member typed is cut to this before any search

# Plex
QUEUE_WINDOW = 200  # items of a play queue read at once

# Start and stop
DRAIN_S = 10.0
HEARTBEAT_S = 1.0
HEARTBEAT_STALE_S = 15.0  # /health/live fails when the loop has not beaten for this long

# Tasks
RESTART_BACKOFF_FIRST_S = 1.0
RESTART_BACKOFF_MAX_S = 300.0
