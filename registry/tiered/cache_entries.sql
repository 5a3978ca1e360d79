-- cache_entries.sql - the table of values that are JSON, as an application reads and writes it with a
-- client of its own. It can be run any number of times, before or after postgres_log.sql; the store
-- runs both where they are missing.
--
--   psql -v ON_ERROR_STOP=1 -f postgres_log.sql -f cache_entries.sql
--
-- Who may do what (row-level security; the owner of the table is above it):
--   cache_service   reads, writes and removes everything: the services
--   cache_reader    reads what has not expired: dashboards
--   anybody else    sees no row, also with a grant on the table
CREATE TABLE IF NOT EXISTS cache_entries (
  id UUID DEFAULT gen_random_uuid() PRIMARY KEY,
  cache_key TEXT NOT NULL UNIQUE,
  cache_data JSONB NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  created_at TIMESTAMPTZ DEFAULT NOW(),
  updated_at TIMESTAMPTZ DEFAULT NOW()
);
CREATE INDEX IF NOT EXISTS idx_cache_entries_key_expires ON cache_entries (cache_key, expires_at);

-- Removes what has expired and returns how many rows that were.
CREATE OR REPLACE FUNCTION cleanup_expired_cache() RETURNS INTEGER AS $$
DECLARE
  deleted_count INTEGER;
BEGIN
  DELETE FROM cache_entries WHERE expires_at < NOW();
  GET DIAGNOSTICS deleted_count = ROW_COUNT;
  RETURN deleted_count;
END;
$$ LANGUAGE plpgsql;

ALTER TABLE cache_entries ENABLE ROW LEVEL SECURITY;

-- Roles belong to the whole server. Where this role may not make them, or their policies, an
-- administrator runs this file once.
DO $$
BEGIN
  IF to_regrole('cache_service') IS NULL THEN
    CREATE ROLE cache_service NOLOGIN;
  END IF;
  IF to_regrole('cache_reader') IS NULL THEN
    CREATE ROLE cache_reader NOLOGIN;
  END IF;
  GRANT SELECT, INSERT, UPDATE, DELETE ON cache_entries TO cache_service;
  GRANT SELECT ON cache_entries TO cache_reader;
  DROP POLICY IF EXISTS cache_entries_service ON cache_entries;
  CREATE POLICY cache_entries_service ON cache_entries TO cache_service
    USING (true) WITH CHECK (true);
  DROP POLICY IF EXISTS cache_entries_reader ON cache_entries;
  CREATE POLICY cache_entries_reader ON cache_entries FOR SELECT TO cache_reader
    USING (expires_at > NOW());
  IF to_regclass('tidemark_event') IS NOT NULL THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON tidemark_event, tidemark_claim TO cache_service;
  END IF;
  IF to_regclass('tidemark_total') IS NOT NULL THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON tidemark_total TO cache_service;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN
    RAISE WARNING 'cache_entries: no roles and policies were made: %', SQLERRM;
END;
$$;

-- The scheduled clean-up, where the extension pg_cron is there. Without it the cache does it: of all
-- processes one removes what has expired, once a minute.
DO $$
BEGIN
  IF to_regprocedure('cron.schedule(text,text,text)') IS NOT NULL THEN
    PERFORM cron.schedule('cleanup_expired_cache', '*/5 * * * *', 'SELECT cleanup_expired_cache()');
  END IF;
END;
$$;
