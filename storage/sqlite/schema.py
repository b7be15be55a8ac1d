"""The tables, as ordered migrations; `PRAGMA user_version` tells how many a file has had."""

from __future__ import annotations

from collections.abc import Callable
from sqlite3 import Connection
from typing import TypeAlias

from actors.errors import ConfigurationError
from storage.sqlite.reindex import rebuild_search
from storage.sqlite.search_index import BY_TIME

Step: TypeAlias = str | Callable[[Connection], None]
"""A statement, or what statements alone cannot do."""

APPLICATION_ID = 0x57656972
"""Marks a file as Weir's, so that another program's database is never migrated by mistake ("Weir" in ASCII)."""

# Traffic touches conversations at random, so every index that begins with one costs a page of log a message: messages
# have a single one, which also holds what a conversation is sorted by, and one index of conversations has last_at.
# Hop columns stand before the event, so that marking a hop does not walk through a long text.
FIRST: tuple[str, ...] = (
    """CREATE TABLE marks (
        partition INTEGER PRIMARY KEY, applied INTEGER NOT NULL, time INTEGER NOT NULL, drift INTEGER NOT NULL,
        version INTEGER NOT NULL)""",
    """CREATE TABLE channels (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, row TEXT,
        pruned INTEGER NOT NULL DEFAULT 0, pruned_merged INTEGER NOT NULL DEFAULT 0)""",
    "CREATE TABLE conversation_keys (id INTEGER PRIMARY KEY, channel INTEGER NOT NULL, key TEXT NOT NULL UNIQUE)",
    "CREATE TABLE channel_states (key TEXT PRIMARY KEY, partition INTEGER NOT NULL, due INTEGER, state BLOB NOT NULL)",
    """CREATE TABLE conversation_states (
        id INTEGER PRIMARY KEY, partition INTEGER NOT NULL, due INTEGER, state BLOB NOT NULL)""",
    "CREATE INDEX conversation_timers ON conversation_states (partition, id, due) WHERE due IS NOT NULL",
    # In the order of time, so that a save appends to one page whatever digests it holds.
    """CREATE TABLE event_keys (
        partition INTEGER NOT NULL, at INTEGER NOT NULL, channel INTEGER NOT NULL, label BLOB NOT NULL,
        PRIMARY KEY (partition, at, channel, label)) WITHOUT ROWID""",
    """CREATE TABLE messages (
        id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, channel INTEGER NOT NULL, message TEXT NOT NULL,
        sent_at INTEGER NOT NULL, at INTEGER NOT NULL, delay INTEGER, merged_into TEXT,
        partition INTEGER NOT NULL, stored_at INTEGER NOT NULL, copies INTEGER NOT NULL DEFAULT 0,
        notified INTEGER, seen INTEGER, answered INTEGER, accepted INTEGER, delivered INTEGER, read INTEGER,
        failed INTEGER, translated INTEGER, translation_failed INTEGER, edited INTEGER, deleted INTEGER,
        event TEXT NOT NULL)""",
    "CREATE INDEX messages_by_id ON messages (conversation, message, at, sent_at, merged_into)",
    "CREATE INDEX messages_by_channel ON messages (channel)",
    "CREATE INDEX messages_by_sent_at ON messages (channel, sent_at)",
    "CREATE INDEX messages_merged ON messages (channel) WHERE merged_into IS NOT NULL",
    """CREATE TABLE attachments (
        conversation INTEGER NOT NULL, message TEXT NOT NULL, attachment TEXT NOT NULL, status TEXT NOT NULL,
        at INTEGER NOT NULL, PRIMARY KEY (conversation, message, attachment)) WITHOUT ROWID""",
    """CREATE TABLE versions (
        id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, message TEXT NOT NULL, at INTEGER NOT NULL,
        what TEXT NOT NULL, text TEXT)""",
    "CREATE INDEX versions_by_message ON versions (conversation, message)",
    """CREATE TABLE conversations (
        id INTEGER PRIMARY KEY, platform TEXT NOT NULL, account TEXT NOT NULL, conversation TEXT NOT NULL,
        closed INTEGER, contact_id TEXT, contact_name TEXT, order_id TEXT, lang TEXT, vip INTEGER NOT NULL,
        messages INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
        last_sent_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL, last_direction TEXT, last_text TEXT,
        last_message TEXT, assignee TEXT, sla TEXT, sla_kind TEXT, sla_due_at INTEGER, sla_ordinal INTEGER)""",
    "CREATE INDEX conversations_by_time ON conversations (last_at, id)",
    "CREATE INDEX conversations_by_contact ON conversations (contact_id) WHERE contact_id IS NOT NULL",
    "CREATE INDEX conversations_by_sla ON conversations (platform, sla) WHERE sla IS NOT NULL",
    """CREATE TABLE orders (
        order_id TEXT NOT NULL, conversation INTEGER NOT NULL, PRIMARY KEY (order_id, conversation)) WITHOUT ROWID""",
    """CREATE TABLE sla (
        conversation INTEGER NOT NULL, ordinal INTEGER NOT NULL, kind TEXT NOT NULL, started_at INTEGER NOT NULL,
        due_at INTEGER NOT NULL, warned_at INTEGER, breached_at INTEGER, answered_at INTEGER, stopped INTEGER NOT NULL,
        PRIMARY KEY (conversation, ordinal)) WITHOUT ROWID""",
    """CREATE TABLE anomalies (
        id TEXT PRIMARY KEY, opened_at INTEGER NOT NULL, resolved_at INTEGER, kind TEXT NOT NULL, status TEXT NOT NULL,
        severity TEXT NOT NULL, cause TEXT NOT NULL, platform TEXT NOT NULL, account TEXT NOT NULL, conversation TEXT,
        message TEXT, body TEXT NOT NULL)""",
    # Holds what is counted and filtered, so that the monitor never reads bodies to count.
    """CREATE INDEX anomalies_by_time ON anomalies
        (opened_at DESC, id, platform, account, kind, cause, status, severity, conversation)""",
    "CREATE INDEX anomalies_by_conversation ON anomalies (conversation, message) WHERE conversation IS NOT NULL",
    """CREATE INDEX anomalies_unresolved ON anomalies
        (platform, account, kind, cause, status, severity, opened_at, conversation, id) WHERE status <> 'resolved'""",
    """CREATE TABLE minutes (
        minute INTEGER NOT NULL, channel TEXT NOT NULL, inbound INTEGER NOT NULL, outbound INTEGER NOT NULL,
        duplicates INTEGER NOT NULL, delays BLOB NOT NULL, PRIMARY KEY (minute, channel)) WITHOUT ROWID""",
    """CREATE TABLE ledger (
        channel TEXT PRIMARY KEY, accepted INTEGER NOT NULL, stored INTEGER NOT NULL, duplicates INTEGER NOT NULL,
        rejected INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE dead_letters (
        partition INTEGER NOT NULL, offset INTEGER NOT NULL, entry INTEGER NOT NULL, at INTEGER NOT NULL,
        channel TEXT NOT NULL, reason TEXT NOT NULL, raw BLOB NOT NULL, resolved_at INTEGER,
        PRIMARY KEY (partition, offset, entry)) WITHOUT ROWID""",
    "CREATE INDEX dead_letters_by_time ON dead_letters (at)",
    """CREATE TABLE thresholds (
        version INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, overrides TEXT NOT NULL,
        note TEXT NOT NULL, draft INTEGER NOT NULL)""",
    "CREATE TABLE users (id TEXT PRIMARY KEY, login TEXT NOT NULL UNIQUE, body TEXT NOT NULL)",
    """CREATE TABLE sessions (
        digest TEXT PRIMARY KEY, user TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL)""",
    "CREATE INDEX sessions_by_user ON sessions (user)",
    """CREATE TABLE tokens (
        id TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL, body TEXT NOT NULL)""",
    "CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, body TEXT NOT NULL)",
    "CREATE INDEX audit_by_subject ON audit (subject)",
    """CREATE VIRTUAL TABLE search USING fts5 (
        text, ids, content = '', columnsize = 0,
        tokenize = "unicode61 remove_diacritics 2 categories 'L* M* N* Co So'")""",
    "INSERT INTO search (search, rank) VALUES ('hashsize', 16777216)",
    "INSERT INTO search (search, rank) VALUES ('automerge', 8)",
)

MUTES_AND_PROCESSES: tuple[str, ...] = (
    "CREATE TABLE mutes (id TEXT PRIMARY KEY, until INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX mutes_by_until ON mutes (until DESC, id)",
    "CREATE TABLE processes (process TEXT PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID",
)

BINDINGS: tuple[str, ...] = (
    """CREATE TABLE bindings (
        platform TEXT NOT NULL, account TEXT NOT NULL, changed_at INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (platform, account)) WITHOUT ROWID""",
)

# What is looked for often is small beside what is kept: the partial indices hold nothing that is settled.
CHANNEL_WORK: tuple[str, ...] = (
    """CREATE TABLE replies (
        id TEXT PRIMARY KEY, key TEXT NOT NULL, platform TEXT NOT NULL, account TEXT NOT NULL, state TEXT NOT NULL,
        at INTEGER NOT NULL, due_at INTEGER NOT NULL, hangs_since INTEGER, ended_at INTEGER, platform_message TEXT,
        version INTEGER NOT NULL, body TEXT NOT NULL)""",
    "CREATE INDEX replies_by_state ON replies (state, at DESC, id)",
    "CREATE INDEX replies_by_channel ON replies (platform, account, state, at DESC, id)",
    "CREATE INDEX replies_by_conversation ON replies (key, state, at DESC, id)",
    "CREATE INDEX replies_due ON replies (due_at, at, id) WHERE state = 'queued'",
    "CREATE INDEX replies_waiting ON replies (key, at, id) WHERE state IN ('new', 'queued', 'claimed')",
    "CREATE INDEX replies_hanging ON replies (hangs_since, id) WHERE hangs_since IS NOT NULL",
    "CREATE INDEX replies_ended ON replies (ended_at) WHERE ended_at IS NOT NULL",
    """CREATE INDEX replies_by_platform_message ON replies (platform, account, platform_message)
        WHERE platform_message IS NOT NULL""",
    """CREATE TABLE parked (
        platform TEXT NOT NULL, account TEXT NOT NULL, id TEXT NOT NULL, message TEXT NOT NULL, at INTEGER NOT NULL,
        body TEXT NOT NULL, PRIMARY KEY (platform, account, id)) WITHOUT ROWID""",
    "CREATE INDEX parked_by_message ON parked (platform, account, message)",
    "CREATE INDEX parked_by_time ON parked (at)",
    """CREATE TABLE jobs (
        kind TEXT NOT NULL, id TEXT NOT NULL, platform TEXT NOT NULL, account TEXT NOT NULL, at INTEGER NOT NULL,
        due_at INTEGER NOT NULL, payload TEXT NOT NULL, attempts INTEGER NOT NULL, failed_at INTEGER, reason TEXT,
        PRIMARY KEY (kind, id)) WITHOUT ROWID""",
    "CREATE INDEX jobs_due ON jobs (kind, due_at, at, id) WHERE failed_at IS NULL",
    "CREATE INDEX jobs_open ON jobs (kind, at, id) WHERE failed_at IS NULL",
    "CREATE INDEX jobs_failed ON jobs (kind, at, id) WHERE failed_at IS NOT NULL",
    "CREATE INDEX jobs_given_up ON jobs (failed_at) WHERE failed_at IS NOT NULL",
    """CREATE TABLE sweeps (
        platform TEXT NOT NULL, account TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (platform, account)) WITHOUT ROWID""",
    """CREATE TABLE shop_orders (
        platform TEXT NOT NULL, account TEXT NOT NULL, id TEXT NOT NULL, number TEXT NOT NULL, email TEXT,
        contact TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (platform, account, id)) WITHOUT ROWID""",
    "CREATE INDEX shop_orders_by_number ON shop_orders (number, created_at DESC)",
    "CREATE INDEX shop_orders_by_email ON shop_orders (email, created_at DESC) WHERE email IS NOT NULL",
    "CREATE INDEX shop_orders_by_contact ON shop_orders (contact, created_at DESC) WHERE contact IS NOT NULL",
)

ATTACHMENT_DETAILS: tuple[str, ...] = ("ALTER TABLE attachments ADD COLUMN detail TEXT",)

IDENTITIES: tuple[str, ...] = (
    """CREATE TABLE identities (
        platform TEXT NOT NULL, account TEXT NOT NULL, alias TEXT NOT NULL, canonical TEXT NOT NULL,
        since INTEGER NOT NULL, PRIMARY KEY (platform, account, alias)) WITHOUT ROWID""",
    "CREATE INDEX identities_by_canonical ON identities (platform, account, canonical, since, alias)",
)

SEARCH_BY_TIME: tuple[Step, ...] = (BY_TIME,)

VIEWS_AND_ALERTS: tuple[str, ...] = (
    """CREATE TABLE saved_views (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, shared INTEGER NOT NULL, version INTEGER NOT NULL,
        body TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE alert_settings (
        person TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE alerts (
        id TEXT PRIMARY KEY, person TEXT NOT NULL, key TEXT NOT NULL, message TEXT, at INTEGER NOT NULL, due_at INTEGER,
        test INTEGER NOT NULL, fate TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL)""",
    "CREATE INDEX alerts_by_time ON alerts (at DESC, id DESC, person, fate, test)",
    "CREATE INDEX alerts_by_person ON alerts (person, at DESC, id DESC)",
    "CREATE INDEX alerts_by_message ON alerts (key, message)",
    "CREATE INDEX alerts_due ON alerts (due_at, id) WHERE due_at IS NOT NULL",
)

CONTACTS: tuple[Step, ...] = (
    """CREATE TABLE contacts (
        id TEXT PRIMARY KEY, platform TEXT NOT NULL, account TEXT NOT NULL, identity TEXT NOT NULL,
        created_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, sealed_with TEXT, merged_into TEXT,
        version INTEGER NOT NULL, words TEXT NOT NULL, said TEXT NOT NULL, told TEXT NOT NULL)""",
    "CREATE INDEX contacts_by_time ON contacts (seen_at DESC, id)",
    "CREATE INDEX contacts_by_platform ON contacts (platform, account, seen_at DESC, id)",
    "CREATE INDEX contacts_merged ON contacts (merged_into) WHERE merged_into IS NOT NULL",
    "CREATE INDEX contacts_by_key ON contacts (sealed_with, id) WHERE sealed_with IS NOT NULL",
    "CREATE TABLE contact_facts (fact TEXT NOT NULL, contact TEXT NOT NULL, PRIMARY KEY (fact, contact)) WITHOUT ROWID",
    "CREATE INDEX contact_facts_of ON contact_facts (contact)",
    "CREATE TABLE contact_tags (tag TEXT NOT NULL, contact TEXT NOT NULL, PRIMARY KEY (tag, contact)) WITHOUT ROWID",
    "CREATE INDEX contact_tags_of ON contact_tags (contact)",
    """CREATE TABLE contact_values (
        currency TEXT NOT NULL, total REAL NOT NULL, contact TEXT NOT NULL,
        PRIMARY KEY (currency, contact)) WITHOUT ROWID""",
    "CREATE INDEX contact_values_by_total ON contact_values (total, currency, contact)",
    "CREATE INDEX contact_values_of ON contact_values (contact)",
    """CREATE TABLE contact_pairs (
        first TEXT NOT NULL, second TEXT NOT NULL, at INTEGER NOT NULL, who TEXT NOT NULL,
        PRIMARY KEY (first, second)) WITHOUT ROWID""",
    "CREATE INDEX contact_pairs_by_second ON contact_pairs (second)",
)

# `place` orders the inbox: those whose clock runs by when it is due, then those that wait without one, the longest
# first, then the rest, newest first; times are below 10^16. The index holds whatever decides who sees a conversation
# and where, so that any window of a long list is found without a look at a row; closed ones are not in it.
DESK: tuple[str, ...] = (
    "ALTER TABLE conversations ADD COLUMN team TEXT",
    "ALTER TABLE conversations ADD COLUMN assigned_at INTEGER",
    "ALTER TABLE conversations ADD COLUMN automatic INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE conversations ADD COLUMN snoozed_until INTEGER",
    "ALTER TABLE conversations ADD COLUMN archived INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE conversations ADD COLUMN desk_version INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE conversations ADD COLUMN unread INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE conversations ADD COLUMN seen INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE conversations ADD COLUMN amount REAL",
    "ALTER TABLE conversations ADD COLUMN currency TEXT",
    """ALTER TABLE conversations ADD COLUMN place INTEGER GENERATED ALWAYS AS (
        CASE WHEN sla_due_at IS NOT NULL THEN sla_due_at WHEN last_direction = 'in' THEN 10000000000000000 + last_at
        ELSE 30000000000000000 - last_at END) VIRTUAL""",
    """CREATE INDEX inbox ON conversations (place, id, archived, snoozed_until, assignee, team, platform, account, sla,
        vip, lang) WHERE closed IS NOT 1""",
    # In the order of their groups, which a message leaves alone.
    """CREATE INDEX inbox_groups ON conversations (platform, account, team, assignee, sla, snoozed_until, archived)
        WHERE closed IS NOT 1""",
    "CREATE INDEX inbox_snoozed ON conversations (snoozed_until, id) WHERE snoozed_until IS NOT NULL",
    "CREATE TABLE teams (id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID",
)

WRITING: tuple[Step, ...] = (
    """CREATE TABLE notes (
        id TEXT PRIMARY KEY, key TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID""",
    "CREATE INDEX notes_by_conversation ON notes (key, at, id)",
    "CREATE INDEX notes_by_time ON notes (at)",
    """CREATE TABLE drafts (
        user TEXT NOT NULL, key TEXT NOT NULL, changed_at INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (user, key)) WITHOUT ROWID""",
    "CREATE INDEX drafts_by_time ON drafts (changed_at)",
    """CREATE TABLE templates (
        id TEXT PRIMARY KEY, version INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0, last_used_at INTEGER,
        body TEXT NOT NULL) WITHOUT ROWID""",
)

# `automatic` and `manual`: by whom a label is given; `removed_at`: a person took it away. The groups are made anew:
# they count what is sensitive.
LABELS: tuple[str, ...] = (
    """CREATE TABLE conversation_labels (
        conversation INTEGER NOT NULL, label TEXT NOT NULL, automatic INTEGER NOT NULL DEFAULT 0,
        manual INTEGER NOT NULL DEFAULT 0, at INTEGER NOT NULL, who TEXT, removed_at INTEGER,
        PRIMARY KEY (conversation, label)) WITHOUT ROWID""",
    "CREATE TABLE label_books (version INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    "ALTER TABLE conversations ADD COLUMN guessed_lang TEXT",
    "ALTER TABLE conversations ADD COLUMN sensitive INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX inbox_sensitive ON conversations (place, id) WHERE sensitive = 1 AND closed IS NOT 1",
    "DROP INDEX inbox_groups",
    """CREATE INDEX inbox_groups ON conversations (platform, account, team, assignee, sla, snoozed_until, archived,
        sensitive) WHERE closed IS NOT 1""",
)

SEARCH_ANEW: tuple[Step, ...] = (rebuild_search,)

RETENTION: tuple[str, ...] = (
    "ALTER TABLE sweeps ADD COLUMN version INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX shop_orders_by_change ON shop_orders (updated_at)",
    "CREATE INDEX attachments_by_digest ON attachments (json_extract(detail, '$.digest')) WHERE detail IS NOT NULL",
    "CREATE INDEX attachments_by_thumb ON attachments (json_extract(detail, '$.thumb')) WHERE detail IS NOT NULL",
    """CREATE INDEX replies_with_files ON replies (id) WHERE instr(body, '"files":[{') > 0""",
)

# Partial, so that only closing and archiving write to them.
INBOX_ASIDE: tuple[str, ...] = (
    """CREATE INDEX inbox_closed ON conversations (last_at, id, archived, assignee, team, platform, account)
        WHERE closed = 1""",
    """CREATE INDEX inbox_archived ON conversations (last_at, id, assignee, team, platform, account)
        WHERE archived = 1""",
)

# Holds what the workload shows of a clock; one enters it once, when it ends.
WORKLOAD: tuple[str, ...] = (
    """CREATE INDEX sla_ended ON sla
        (coalesce(answered_at, due_at), conversation, kind, started_at, answered_at, due_at, breached_at, stopped)
        WHERE kind <> 'resolution' AND (answered_at IS NOT NULL OR (stopped = 1 AND breached_at IS NOT NULL))""",
)

MIGRATIONS: tuple[tuple[Step, ...], ...] = (
    FIRST,
    MUTES_AND_PROCESSES,
    BINDINGS,
    CHANNEL_WORK,
    ATTACHMENT_DETAILS,
    IDENTITIES,
    SEARCH_BY_TIME,
    VIEWS_AND_ALERTS,
    CONTACTS,
    DESK,
    WRITING,
    LABELS,
    SEARCH_ANEW,
    RETENTION,
    INBOX_ASIDE,
    WORKLOAD,
)
"""In the order in which they were released; one that was released is never edited."""


def migrate(connection: Connection, path: str) -> None:
    """Bring the file to the newest schema; raises ConfigurationError when it is newer than that or not Weir's."""
    known = len(MIGRATIONS)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if tables and owner != APPLICATION_ID:
        raise ConfigurationError(f"{path} is another program's database; point Weir at a path of its own")
    if version > known:
        raise ConfigurationError(
            f"{path} was written by a newer Weir (schema {version}, this one knows {known});"
            " run that version or restore an older backup"
        )
    for number in range(version, known):
        connection.execute("BEGIN IMMEDIATE")
        # Two processes may start at once: the second finds the work done.
        if connection.execute("PRAGMA user_version").fetchone()[0] == number:
            for step in MIGRATIONS[number]:
                if isinstance(step, str):
                    connection.execute(step)
                else:
                    step(connection)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")
