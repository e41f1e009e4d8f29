"""Schema: the tables of a run's SQLite file.

Rows are numbered from 1 without gaps, and SQLite remembers the last number that was given (AUTOINCREMENT), so
that one that is taken away is missed, the last one too. `seal` is a hash over the rest of the row; a block's
also covers its games and the seal of the block before it. A pack follows from its block's games.
"""

from __future__ import annotations

SCHEMA = """
CREATE TABLE lineups (
    id INTEGER PRIMARY KEY,
    env TEXT NOT NULL,
    players TEXT NOT NULL,            -- JSON list of names, by seat
    UNIQUE (env, players)
);
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    time REAL NOT NULL,               -- when it was appended, s since 1970
    seal TEXT NOT NULL
);
CREATE TABLE games (
    id INTEGER PRIMARY KEY,
    block INTEGER NOT NULL REFERENCES blocks,
    game INTEGER NOT NULL,            -- place in its block
    lineup INTEGER NOT NULL REFERENCES lineups,
    score TEXT NOT NULL,              -- JSON list of numbers, by seat
    steps INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    ended TEXT NOT NULL,              -- rules, limit or forfeit
    reason TEXT NOT NULL DEFAULT ''   -- of a forfeit; runs of old lack the column until they are written again
);
CREATE TABLE files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,        -- relative to the run folder
    size INTEGER,                     -- bytes; null before it was first written
    hash TEXT,                        -- SHA-256
    next_size INTEGER,                -- of what is about to replace it; null at rest
    next_hash TEXT,
    seal TEXT NOT NULL
);
CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,        -- member:step
    member TEXT NOT NULL,
    step INTEGER NOT NULL,            -- env steps its learner had seen
    file TEXT NOT NULL REFERENCES files (name),
    parent TEXT,                      -- name of the snapshot that it was trained from
    created REAL NOT NULL,            -- s since 1970
    seal TEXT NOT NULL
);
CREATE TABLE members (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    status TEXT NOT NULL,             -- active or retired
    spec TEXT NOT NULL,               -- JSON object
    parent TEXT,                      -- whom it descends from
    added REAL NOT NULL,              -- s since 1970
    seal TEXT NOT NULL
);
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT UNIQUE,                  -- of what may only be told once
    time REAL NOT NULL,               -- s since 1970
    kind TEXT NOT NULL,
    member TEXT,
    detail TEXT NOT NULL,             -- JSON object
    seal TEXT NOT NULL
);
CREATE TABLE requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,               -- s since 1970
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,            -- JSON object
    done REAL,                        -- s since 1970; null while it waits
    answer TEXT,                      -- a sentence for whoever asked
    seal TEXT NOT NULL
);
"""

ADD_REASON = "ALTER TABLE games ADD COLUMN reason TEXT NOT NULL DEFAULT ''"
"""For runs that lack it."""
ADD_PACKS = """
CREATE TABLE IF NOT EXISTS packs (    -- see arena.store.packs
    block INTEGER PRIMARY KEY,        -- id of a block
    form TEXT NOT NULL,
    data BLOB NOT NULL
)
"""
"""Done whenever a run is opened for writing, as runs of old lack them."""
SEALED = ("files", "snapshots", "members", "events", "requests")
"""Tables whose rows are sealed one by one."""
