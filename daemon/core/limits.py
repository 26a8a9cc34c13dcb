"""Every bound of the daemon, with its unit. Bounds that an operator may change are settings instead."""

from __future__ import annotations

# Discord (developer documentation; docs/discord-rules.md names the rules)
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
AUTOCOMPLETE_BUDGET_S = 2.0  # a late list of choices is worth nothing: 3 s end to end, and the member types on
MESSAGE_S = 20.0  # for one attempt to post or edit a message that is no answer, likewise
ANSWER_S = 30.0  # for one edit or follow-up, waiting for a rate limit included

# Panels
PANEL_LEASE_S = 30.0  # workers take over the panels of a process that has not been heard of for so long
PANEL_RENEW_S = 10.0  # and so often it is heard of

# Notices
NONCE_WINDOW_S = 60.0  # Discord remembers a nonce for "a few minutes"; later the channel is read before a second try
NOTICE_PATIENCE_S = 24 * 3600.0  # a notice that could not be posted for so long is given up
NOTICE_RETRY_MAX_S = 60.0
NOTICE_ATTEMPTS_MAX = 30_000  # more than fit into a day: the day decides
NOTICES_AT_ONCE = 8  # of different channels
NOTICE_ASKED_LAST_S = 600.0  # a bot that may not post in a channel is asked after the others for so long
NOTICE_REFUSALS_MAX = 1_000  # such bots and channels remembered
HISTORY_PAGES_MAX = 20  # of 100 messages each, read to find a notice that may have arrived
HISTORY_SLACK_S = 300.0  # by so much Discord's clock may be behind ours
LINK_CHARS_MAX = 512  # of a button

# Input
QUERY_CHARS_MAX = 200  # what a member typed is cut to this before any search

# Plex
QUEUE_WINDOW = 200  # items of a play queue read at once

# Accounts
LINK_REST_DAYS = 7  # after an unlink neither the account nor the person can be linked to another
LINK_POLL_S = 2.0  # between two looks at a PIN
LINK_POLLS_MAX = 20  # PINs looked at in one round
LINK_LOOK_S = 15.0  # how soon a request of another process, or from before a restart, is noticed
LINK_TELL_AFTER_S = 20.0  # who is not told in the answer to /link by then is told in a direct message
SHARES_EVERY_S = 900.0  # between two readings of what is shared with the linked accounts
VISIBILITY_KEPT_S = 30.0  # what somebody may see, where nobody tells this process of a change
SEALING_KEY_CHARS_MIN = 32
EXPORT_PLAYS_MAX = 20_000  # newest plays in one export: about 5 MB, and Discord takes 10

# Start and stop
DRAIN_S = 10.0
HEARTBEAT_S = 1.0
HEARTBEAT_STALE_S = 15.0  # /health/live fails when the loop has not beaten for this long
PROBE_AGAIN_S = 5.0  # what a probe of a daemon that is not ready yet is told to wait

# Disk
DISK_FREE_BYTES_MIN = 512 * 2**20  # less on the disk of the data folder is a warning
SPACE_EVERY_S = 60.0  # between two looks at sizes

# Traces
OTEL_SPANS_MAX = 2_048  # spans that wait to be sent; more are dropped
OTEL_SEND_S = 3.0  # one attempt to send some, also the last one at the end

# Tasks
RESTART_BACKOFF_FIRST_S = 1.0
RESTART_BACKOFF_MAX_S = 300.0

# Data
STORE_WAITING_MAX = 10_000  # units that wait for the database; more are refused
STORE_SLOW_S = 0.25  # a unit that takes longer is named in the log
STORE_GROUP_MAX = 64  # units that share one commit on SQLite
STORE_SYNC_S = 1.0  # confirmed writes reach the disk of SQLite after at most this long, whatever the power supply does
STORE_RETRIES_MAX = 8  # a unit that PostgreSQL asked to repeat is run at most this often
DATABASE_WAIT_S = 5.0  # for a lock of another process, for a connection
STATEMENT_S = 30.0  # one SQL statement on PostgreSQL
BACKUPS_KEPT = 5  # copies of the SQLite file made before migrations

# People
NAME_CHARS_MAX = 100  # names of members, guilds and servers are cut to this before they are stored
KNOWN_MEMBERS_MAX = 20_000  # members and guilds that the intake remembers in memory
INTERACTION_KEPT_S = 24 * 3600  # Discord repeats an interaction within minutes; its token lives 15 minutes
INTERACTION_PURGE_EVERY = 256  # admissions between two clean-ups
INTERACTION_PURGE_MAX = 512  # rows of one clean-up: more than arrive between two, so the table cannot outgrow it
RATE_LIMIT_KEYS_MAX = 20_000  # buckets kept in memory
RATE_LIMIT_REDIS_S = 0.5  # then the memory decides: a member waits for the answer, and Discord for 3 s only

# Redis
REDIS_CONNECT_S = 1.0
REDIS_ANSWER_S = 2.0  # one command; what people wait for gives up sooner
REDIS_CONNECTIONS_MAX = 16  # of one process, beside those of blocking readers
REDIS_REST_S = 2.0  # while it is away one call is let through this often
REDIS_LOOK_S = 5.0  # between two looks while it is there
REDIS_RETRY_S = 1.0  # and while it is away

# Schedules
SCHEDULE_LATE_S = 300.0  # a slot that is run this much later is on time, beyond it is missed
SCHEDULE_MISSED_MAX = 100  # slots of one schedule that are made up for; the newest of more
SCHEDULE_NAP_S = 10.0  # of the clock between two looks: how soon a clock that was set is noticed
SCHEDULE_SEEN_EVERY_S = 3600.0  # how often a running daemon says that it still knows its schedules
SCHEDULE_RUNS_KEPT = 200  # newest runs of a schedule that are remembered
SCHEDULE_FORGOTTEN_S = 90 * 24 * 3600.0  # a schedule that no daemon has known for this long is forgotten

# Events
EVENT_BYTES_MAX = 64 * 1024  # of one event: facts, not files
DEATHS_EVERY_S = 60.0  # between two looks for dead letters of other processes
DEATHS_LOOK_BACK_S = 24 * 3600.0  # of a process that has just started
DEATHS_OVERLAP_S = 120.0  # a letter can be committed this long after the instant it bears
DEATHS_BATCH = 100  # published in one unit of work

# Queue
QUEUE_BODY_BYTES_MAX = 10 * 1024 * 1024  # of one message
CLAIM_BYTES_MIN = 256 * 1024  # larger bodies lie in the claim store, not in the row
CLAIM_KEPT_S = (
    3600.0  # a body that nothing refers to stays this long: whoever staged it may be about to put the message
)
QUEUE_FETCH_MAX = 256  # messages claimed by one statement, settled by one unit
QUEUE_AHEAD_S = 0.05  # messages are claimed ahead for about this much work, so that other processes get theirs
QUEUE_AHEAD_BYTES = 8 * 1024 * 1024  # and for about this much memory, bodies that lie in the claim store not counted
QUEUE_POLL_S = 1.0  # between two looks into the database for what nobody announced
QUEUE_MONITOR_S = 5.0  # between two counts
QUEUE_OLDEST_S = 60.0  # a message that is due and waits for longer is worth a warning
QUEUE_DIED_LATELY_S = 3600.0  # for how long a message that died is worth a warning
QUEUE_HINTS_MAX = 1_000  # announced ids kept; beyond that the queue is swept
QUEUE_RETRY_S_MAX = 5.0  # between two attempts to reach a store that fails
UNKNOWN_TOPIC_RETRY_S = 5.0  # until a message that nobody here handles is looked at again
UNKNOWN_TOPIC_S = 24 * 3600.0  # and until it is given up
PROGRESS_NOTE_CHARS_MAX = 200
PROGRESS_S = 1.0  # what a job reports is stored this often
DEAD_DETAIL_CHARS_MAX = 4_000
STREAM_BLOCK_S = 2.0  # one read that waits
STREAM_READERS_MAX = 64  # connections that wait: one a queue
STREAM_ENTRY_IDS_MAX = 16  # messages named by one entry of a stream
STREAM_BUFFER_IDS_MAX = 10_000  # named by one batch; of more, all are left to a sweep
STREAM_HOLD_S = 0.5  # what arrived and nobody took is given to others after this
STREAM_PATIENCE_S = 10.0  # between two looks into the database while announcements can be relied on
STREAM_RECLAIM_MAX = 100  # entries taken over by one command
STREAM_CONSUMER_IDLE_S = 600.0  # a consumer without entries is forgotten after this

# Cache
CACHE_MEMORY_BYTES_MAX = 32 * 1024 * 1024  # of all regions together, in each process
CACHE_AWAY_BYTES_MAX = 8 * 1024 * 1024  # the same where memory only stands in for Redis
CACHE_VALUE_BYTES_MAX = 4 * 1024 * 1024  # a larger value is not kept
CACHE_KEPT_MAX_S = 24 * 3600  # stale time included
CACHE_TAG_KEPT_S = 2 * CACHE_KEPT_MAX_S  # a tag's version outlives every value that remembers it
CACHE_TAGS_MAX = 10_000  # versions in memory
CACHE_OWED_TAGS_MAX = 1_000  # bumped while Redis was away; beyond it everything is forgotten
CACHE_KEY_CHARS_MAX = 200  # longer keys are replaced by their digest
CACHE_REDIS_S = 0.5  # then it is done without: loading again is what a cache is there to save, not to wait for
CACHE_CLAIM_S = 15.0  # a process that loads keeps others from loading the same for at most this long
CACHE_CLAIM_WAIT_S = 1.0  # after which the others load it, too
CACHE_POLL_S = 0.05
CACHE_WARMERS = 4  # regions that are warmed beside each other

# Watching over events
WATCH_EVERY_S = 30.0  # between two rounds
WATCH_SETTLE_S = 60.0  # younger events are left alone; longer than any unit of work takes to be committed
WATCH_STUCK_S = 600.0  # a delivery that waits, or is tried, for longer is reported
WATCH_ATTEMPTS = 5  # as is one that was begun this often
WATCH_RANGE_ROWS = 5_000  # events compared in one snapshot
WATCH_RANGES_MAX = 20  # compared in one round
WATCH_AGAIN_MAX = 4  # and looked at again, because something was not settled
WATCH_BODIES = 1_000  # stored bodies read in one round
WATCH_REPAIRS_MAX = 500  # deliveries enqueued again in one round
WATCH_LISTED_MAX = 1_000  # messages of a kind that one round tells apart
WATCH_NAMED_MAX = 5  # findings of a kind named in health and log

# Retention
RETENTION_BATCH = 500  # rows deleted in one unit of work
RETENTION_BATCHES_MAX = 400  # of one kind in one run

# The mirror of the libraries
MIRROR_PAGE = 250  # titles of one request and of one unit of work
MIRROR_IN_FLIGHT = 2  # requests beside each other: a Plex server is one SQLite
MIRROR_LEASE_S = 60.0  # a pass of a process that has not moved it for so long is taken over
MIRROR_ATTEMPTS_MAX = 3  # readings of one kind whose listing contradicts itself
MIRROR_RETRIES_MAX = 4  # of one request, before the pass is left where it is
MIRROR_TITLES_MAX = 5_000_000  # of one listing: a server that never stops is cut off
MIRROR_CHECKED_AT_ONCE = 100  # titles that a listing did not show are asked for by their keys, so many at a time
MIRROR_MEMBERS_AT_ONCE = 500  # titles of a tag written by one unit of work
MIRROR_NOTICES_MAX = 2_000  # titles named by notices that wait; of more, whole libraries are looked at

# Search
SEARCH_BATCH = 2_000  # titles written into the search file by one transaction
SEARCH_OPTIMIZE_MIN = 5_000  # titles that changed at once: the file is then put in order
SEARCH_LOOK_S = 2.0  # between two looks for what another process has changed
SEARCH_SETTLE_S = 0.25  # between the first change and its being written, so that what follows is written with it
SEARCH_RETRY_S = 5.0  # after the database or the file could not be used
SEARCH_FIND_S = 1.5  # of one search: later nobody waits for it

# Leaving soon
LEAVING_TITLES_MAX = 100  # of one round
LEAVING_LEASE_S = 60.0  # a deletion that a process has not moved on for so long is taken over by another
LEAVING_TICK_S = 5.0  # between two looks for rounds whose time is over and for cards that show something old
LEAVING_ATTEMPTS_MAX = 3  # to delete one title
LEAVING_PATIENCE_S = 3600.0  # a server that is away for longer ends a deletion; an owner may press again
LEAVING_RETRY_S = 2.0  # between two attempts to reach a server that is away
LEAVING_READ_BACK = 4  # looks at a title that the server says it has deleted
LEAVING_ROUNDS_DAYS = 400  # for how long a round is kept after its end
LEAVING_STALE_DAYS = 30  # a list about which no owner has decided for so long is too old to delete by
