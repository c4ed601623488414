-- The SQLite form of the store. Numbers of things (`no`) never leave the node.
-- What came later is in schema_3.sql (withdrawal, post, copy_of, staged_rejected), schema_4.sql (override_act, originator_request) and schema_5.sql (unsettled).
-- Truth is: collection, object_key, content, instance, chain, reference, line, line_commit, receipt, leaf, and the small tables.
-- Derived, and checked by `Store::check`: class, facet, instance.class, bitmap, bitmap_delta.

CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;

CREATE TABLE realm (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE collection (
  no INTEGER PRIMARY KEY, realm INTEGER NOT NULL REFERENCES realm, id TEXT NOT NULL UNIQUE, alias TEXT NOT NULL, title TEXT NOT NULL,
  body TEXT NOT NULL, made INTEGER NOT NULL, UNIQUE (realm, alias), UNIQUE (realm, title)) STRICT;
CREATE TABLE type_name (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

-- Interned label states (0 is the state without chains) and sets of readers (0 is the empty set).
CREATE TABLE label_state (no INTEGER PRIMARY KEY, canonical BLOB NOT NULL UNIQUE) STRICT;
CREATE TABLE class (no INTEGER PRIMARY KEY, bits BLOB NOT NULL UNIQUE) STRICT;
-- What the rights in force say about one (state, type).
CREATE TABLE facet (state INTEGER NOT NULL, type INTEGER NOT NULL, permits BLOB NOT NULL, contributors BLOB NOT NULL,
  open BLOB NOT NULL, PRIMARY KEY (state, type)) STRICT, WITHOUT ROWID;

-- Every identifier held or referred to.
CREATE TABLE object_key (key INTEGER PRIMARY KEY, realm INTEGER NOT NULL, id TEXT NOT NULL, UNIQUE (realm, id)) STRICT;

-- What was received, apart from what decides, so that the deciding rows stay dense; with a copy of what never changes, so that a page reads
-- one row an object. Numbered like its instance, or, if it was staged, from 2^32 on.
CREATE TABLE content (
  no INTEGER PRIMARY KEY, type INTEGER NOT NULL, spec INTEGER NOT NULL, digest BLOB NOT NULL, refs BLOB NOT NULL, id TEXT NOT NULL,
  version TEXT, raw TEXT NOT NULL) STRICT;
-- Stretches of instances whose contents were staged.
CREATE TABLE content_run (first_no INTEGER PRIMARY KEY, last_no INTEGER NOT NULL, content INTEGER NOT NULL) STRICT;
-- One row an instance, numbered in order of publication. The content digest covers id and version, so (key, digest) names an instance.
-- flags: 1 revoked, 2 has had more than one chain (its chains are in `chain`; otherwise its one chain arrived with it).
-- version_key: '' if the object has neither `modified` nor `created`. refs: the references that decide, as pairs (key, need).
CREATE TABLE instance (
  no INTEGER PRIMARY KEY, key INTEGER NOT NULL, class INTEGER NOT NULL, state INTEGER NOT NULL, type INTEGER NOT NULL,
  spec INTEGER NOT NULL, flags INTEGER NOT NULL, creator INTEGER NOT NULL, content INTEGER NOT NULL, received INTEGER NOT NULL,
  version_key TEXT NOT NULL, digest BLOB NOT NULL, refs BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX instance_key ON instance (key, digest);
-- part: the label state that holds this chain alone. arrival: see `Arrival`.
CREATE TABLE chain (instance INTEGER NOT NULL, part INTEGER NOT NULL, arrival INTEGER NOT NULL, received INTEGER NOT NULL,
  PRIMARY KEY (instance, part)) STRICT, WITHOUT ROWID;
-- Who refers to what: the reverse of instance.refs.
CREATE TABLE reference (target INTEGER NOT NULL, instance INTEGER NOT NULL, need INTEGER NOT NULL,
  PRIMARY KEY (target, instance)) STRICT, WITHOUT ROWID;

-- Batches that are being staged; dropped at opening.
CREATE TABLE batch (no INTEGER PRIMARY KEY AUTOINCREMENT, head TEXT NOT NULL) STRICT;
CREATE TABLE staged (
  batch INTEGER NOT NULL, ord INTEGER NOT NULL, content INTEGER NOT NULL, key INTEGER NOT NULL, type INTEGER NOT NULL,
  spec INTEGER NOT NULL, flags INTEGER NOT NULL, creator INTEGER NOT NULL, part INTEGER NOT NULL, version_key TEXT NOT NULL,
  digest BLOB NOT NULL, refs BLOB NOT NULL, PRIMARY KEY (batch, ord)) STRICT, WITHOUT ROWID;

-- Reader lines. loose: how many rows at the end of line_commit have not been merged.
CREATE TABLE line (no INTEGER PRIMARY KEY, reader INTEGER NOT NULL, collection INTEGER NOT NULL, active INTEGER NOT NULL,
  last_slot INTEGER NOT NULL, loose INTEGER NOT NULL, UNIQUE (reader, collection)) STRICT;
-- A stretch of a line whose instance numbers ascend. The slot of an instance follows from its rank in `bitmap`, which never changes;
-- `live` (NULL: all) loses what is withdrawn. runs: pairs (first slot, count) if the slots are not one run.
CREATE TABLE line_commit (
  line INTEGER NOT NULL, first_slot INTEGER NOT NULL, last_slot INTEGER NOT NULL, alive INTEGER NOT NULL, min_no INTEGER NOT NULL,
  max_no INTEGER NOT NULL, runs BLOB, bitmap BLOB NOT NULL, live BLOB, PRIMARY KEY (line, first_slot)) STRICT;
CREATE INDEX line_commit_max ON line_commit (line, max_no);

-- Sets of instance numbers (class keys: of object keys), and what changed in them since they were written.
CREATE TABLE bitmap (kind INTEGER NOT NULL, id INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (kind, id)) STRICT;
CREATE TABLE bitmap_delta (no INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;

CREATE TABLE leaf (no INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE receipt (
  no INTEGER PRIMARY KEY, reader INTEGER NOT NULL, collection INTEGER NOT NULL, epoch INTEGER NOT NULL, at INTEGER NOT NULL,
  channel TEXT NOT NULL, filter BLOB NOT NULL, agreement BLOB NOT NULL, policies BLOB NOT NULL, last INTEGER, state INTEGER NOT NULL,
  leaf INTEGER NOT NULL, count INTEGER NOT NULL, min_no INTEGER NOT NULL, max_no INTEGER NOT NULL, given BLOB NOT NULL) STRICT;
CREATE INDEX receipt_open ON receipt (reader, collection, last) WHERE state = 0;

CREATE TABLE rejected (no INTEGER PRIMARY KEY AUTOINCREMENT, collection INTEGER NOT NULL, origin TEXT NOT NULL, id TEXT, path TEXT NOT NULL,
  cause TEXT NOT NULL, at INTEGER NOT NULL, raw BLOB NOT NULL) STRICT;
CREATE TABLE status (reader INTEGER NOT NULL, realm TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (reader, realm, id)) STRICT, WITHOUT ROWID;
CREATE TABLE pull_state (peer TEXT NOT NULL, remote TEXT NOT NULL, cursor TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (peer, remote)) STRICT, WITHOUT ROWID;
CREATE TABLE account (reader INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT;
-- What each party other than the own organisation has brought.
CREATE TABLE usage (party TEXT PRIMARY KEY, objects INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- Alerts of the node's own detection.
CREATE TABLE alert (no INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
