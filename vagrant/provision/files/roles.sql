-- The roles of the lab's database, beside replicator and shop, which have passwords.

-- hactl: reads statistics; logs in through the socket as the user of that name.
CREATE ROLE hactl LOGIN;
GRANT pg_monitor TO hactl;
-- A switchover: checkpoint, promotion, slots (for which the attribute is needed; pg_hba lets hactl stream nothing),
-- whom a standby follows, and a segment ended so that it can be seen in the archive.
ALTER ROLE hactl REPLICATION;
GRANT pg_checkpoint TO hactl;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO hactl;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO hactl;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_switch_wal() TO hactl;
GRANT ALTER SYSTEM ON PARAMETER primary_conninfo, primary_slot_name TO hactl;

-- hacheck: the balancers' question "are you the primary?" can do nothing but log in.
CREATE ROLE hacheck LOGIN CONNECTION LIMIT 20;

-- replicator: streams, and is pg_rewind's way into the new primary.
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text, boolean, boolean) TO replicator;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_file(text, boolean) TO replicator;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text) TO replicator;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) TO replicator;
