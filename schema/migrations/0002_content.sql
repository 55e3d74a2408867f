-- 0002 Say which namespace has which bytes, and in which pack they lie.
--
-- Why: bytes live in the object store, in packs (storage/DESIGN.md). Rows exist per pack, per
-- blob and per manifest, none per chunk: recipes, which say where a blob's chunks lie, are
-- records of packs themselves. All of pack, blob and manifest can be made again from the
-- object store (mendel admin fsck --rebuild-index).
--
-- Locks: only new tables; no existing table is rewritten.

set local lock_timeout = '5s';

-- One object, namespaces/<namespace_id>/packs/…; it belongs to the namespace that was given
-- its bytes.
create table pack (
    id           bigint      not null generated always as identity,
    namespace_id bigint      not null,
    name         bytea       not null,  -- SHA-256 of its index
    size_bytes   bigint      not null,
    record_count integer     not null,
    hooks        bigint[]    not null,  -- storage/sparse_index.h
    created_at   timestamptz not null default now(),

    constraint pack_pk primary key (id),
    constraint pack_of_namespace
        foreign key (namespace_id) references namespace (id) on delete restrict,
    constraint pack_name_is_unique unique (namespace_id, name),
    constraint pack_name_is_sha256 check (octet_length(name) = 32),
    constraint pack_size_is_positive check (size_bytes > 0 and record_count > 0)
);

-- Which packs have chunks of this stretch of a stream? hooks && $1
create index pack_by_hook on pack using gin (hooks);

-- That a namespace has a blob: it was given the bytes, and then the pack is its own, or it
-- attached them, and then the pack is another namespace's. One row per file at the most, so
-- narrow: the namespace is checked through the pack, or where a blob is attached.
create table blob (
    namespace_id bigint      not null,
    digest       bytea       not null,
    size_bytes   bigint      not null,
    pack_id      bigint      not null,
    recipe       bytea,               -- its topmost recipe in that pack; null: one record
    created_at   timestamptz not null default now(),

    constraint blob_pk primary key (namespace_id, digest),
    constraint blob_lies_in_pack
        foreign key (pack_id) references pack (id) on delete restrict,
    constraint blob_digest_is_sha256 check (octet_length(digest) = 32),
    constraint blob_recipe_is_sha256 check (octet_length(recipe) = 32),
    constraint blob_size_is_not_negative check (size_bytes >= 0)
);

-- Removing a pack must find the blobs in it without a scan.
create index blob_by_pack on blob (pack_id);

create table manifest (
    namespace_id bigint      not null,
    digest       bytea       not null,
    size_bytes   bigint      not null,
    pack_id      bigint      not null,
    created_at   timestamptz not null default now(),

    constraint manifest_pk primary key (namespace_id, digest),
    constraint manifest_lies_in_pack
        foreign key (pack_id) references pack (id) on delete restrict,
    constraint manifest_digest_is_sha256 check (octet_length(digest) = 32),
    constraint manifest_size_is_positive check (size_bytes > 0)
);

create index manifest_by_pack on manifest (pack_id);

-- What a client is sending. While it lives, the packs that came by it are kept.
create table upload (
    id           uuid        not null,
    namespace_id bigint      not null,
    principal_id bigint,
    created_at   timestamptz not null,
    expires_at   timestamptz not null,

    constraint upload_pk primary key (id),
    constraint upload_of_namespace
        foreign key (namespace_id) references namespace (id) on delete cascade,
    constraint upload_ends_after_it_began check (expires_at > created_at)
);

create index upload_by_expiry on upload (expires_at);

create table upload_pack (
    upload_id uuid   not null,
    pack_id   bigint not null,

    constraint upload_pack_pk primary key (upload_id, pack_id),
    constraint upload_pack_of_upload
        foreign key (upload_id) references upload (id) on delete cascade,
    constraint upload_pack_names_pack
        foreign key (pack_id) references pack (id) on delete restrict
);

create index upload_pack_by_pack on upload_pack (pack_id);
