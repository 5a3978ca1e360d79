-- postgres_entry.sql - the table of values that are bytes. It can be run any number of times.
CREATE TABLE IF NOT EXISTS tidemark_entry (
  key TEXT PRIMARY KEY,
  data BYTEA NOT NULL,
  loaded BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  as_of BIGINT NOT NULL,
  sum BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS tidemark_entry_expires ON tidemark_entry (expires);
