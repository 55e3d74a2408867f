-- 0011 A trigger hears what happens after it was applied.
--
-- Why: an event that has not been told yet when a trigger is applied is none of its business,
-- however late it is told. What a trigger has heard is forgotten when its conditions change,
-- and so is what it has yet to hear.
--
-- Locks: a column with a constant default, which rewrites nothing.
-- One transaction, opened by the migrator. Never edited after release: the migrator compares
-- this file's SHA-256 with the one it recorded.

set local lock_timeout = '5s';

alter table trigger add column hears_after bigint not null default 0;
