-- 0013 How often versions are downloaded.
--
-- Why: whoever keeps a model wants to know whether it is used at all. This is an operational
-- figure: servers count in memory and add here every few seconds, so what a server counted in
-- its last seconds is lost when it is killed.
--
-- No foreign key: a version's row is never removed, and looking it up would lock it.
--
-- Locks: only a new table; no existing table is rewritten.
-- One transaction, opened by the migrator. Never edited after release: the migrator compares
-- this file's SHA-256 with the one it recorded.

set local lock_timeout = '5s';

create table version_download (
    version_id    bigint not null,
    downloaded_on date   not null,  -- in UTC
    downloads     bigint not null,

    constraint version_download_pk primary key (version_id, downloaded_on),
    constraint version_download_has_some check (downloads > 0)
);
