# SPDX-License-Identifier: Apache-2.0
"""The second oracle: what a read must leave as it was, and what 42501 can't tell: contents of
tables, sequences, large objects, settings, locks, cursors, prepared statements, counters."""

# Within the transaction that ran the read: no transaction number was taken (nothing was written, no
# row locked, no object made), no lock but the reader's own, no row counted as changed.
IN_TRANSACTION = """
SELECT concat_ws('; ',
 (SELECT 'it wrote' WHERE pg_current_xact_id_if_assigned() IS NOT NULL),
 (SELECT 'locks: ' || string_agg(mode || ' ' || locktype, ', ') FROM pg_locks
   WHERE pid = pg_backend_pid() AND mode <> 'AccessShareLock' AND locktype <> 'virtualxid'),
 (SELECT 'rows changed' FROM pg_stat_xact_user_tables
   HAVING sum(n_tup_ins + n_tup_upd + n_tup_del) > 0))
"""
# After it: what a session keeps, and what outlives a transaction that is rolled back.
OF_SESSION = """
SELECT md5(concat_ws('; ',
 (SELECT string_agg(name || '=' || setting, ',' ORDER BY name) FROM pg_settings),
 (SELECT string_agg(sequencename || coalesce(last_value::text, ''), ',' ORDER BY sequencename)
   FROM pg_sequences),
 (SELECT count(*) FROM pg_largeobject_metadata), (SELECT count(*) FROM pg_cursors),
 (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_listening_channels()),
 (SELECT count(*) FROM pg_replication_slots),
 (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')))
"""


def contents(connection, schema="public"):
    """A digest of each table: to be the same at the end of all."""
    found = {}
    for row in connection.value(
            "SELECT string_agg(quote_ident(relname), ' ') FROM pg_class WHERE relkind IN ('r', 'm')"
            f" AND relnamespace = '{schema}'::regnamespace").split():
        found[row] = connection.value(
            f"SELECT count(*) || ':' || coalesce(sum(hashtext(t.*::text)), 0) FROM {schema}.{row} t")
    return found


class Watch:
    """Runs allowed reads as the superuser that the guard's session may be, and looks after each."""

    def __init__(self, connection):
        self.connection = connection
        self.seen = set()
        self.checked = 0

    def read(self, text):
        """What the statement has changed, as a sentence; empty: nothing."""
        if text in self.seen:
            return ""
        self.seen.add(text)
        self.checked += 1
        before = self.connection.value(OF_SESSION)
        self.connection.simple("BEGIN; SET LOCAL statement_timeout = 2000")
        result = self.connection.run(text)
        changed = "" if result.code else self.connection.value(IN_TRANSACTION)
        self.connection.simple("ROLLBACK")
        if self.connection.value(OF_SESSION) != before:
            changed = (changed + "; the session is not as it was").lstrip("; ")
        return changed
