-- postgres_log.sql - the log of events and the claims of a tiered cache on PostgreSQL. It can be run
-- any number of times; the store runs it where the tables are not there yet.
--
--   tidemark_event   the last event of each key. The row of the key '' is the base: the generation at
--                    which this log began, and in `at` the server's timeline, which counts its fail-overs
--   tidemark_claim   which process is loading a key, and until when that may be believed
--   tidemark_total   what all processes of the cache count, if they were asked to; since when, in ns
CREATE TABLE IF NOT EXISTS tidemark_event (
  key TEXT PRIMARY KEY,
  generation BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS tidemark_event_generation ON tidemark_event (generation);
CREATE TABLE IF NOT EXISTS tidemark_claim (
  key TEXT PRIMARY KEY,
  owner BIGINT NOT NULL,
  until BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS tidemark_total (
  name TEXT PRIMARY KEY,
  value BIGINT NOT NULL,
  since BIGINT NOT NULL
);
