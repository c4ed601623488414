-- What form 3 added to form 2; a store of form 2 gets it when it is opened.

-- What was taken back from readers that had been given it. A row is one act's share of one line: its instances have the slots from `first_slot`
-- on, by rank in `bitmap`; `live` (NULL: all) loses what is given again. Slots are those of one (reader, realm), and never used twice.
CREATE TABLE withdrawal (
  reader INTEGER NOT NULL, realm INTEGER NOT NULL, first_slot INTEGER NOT NULL, last_slot INTEGER NOT NULL, collection INTEGER NOT NULL,
  reason INTEGER NOT NULL, alive INTEGER NOT NULL, min_no INTEGER NOT NULL, max_no INTEGER NOT NULL, bitmap BLOB NOT NULL, live BLOB,
  PRIMARY KEY (reader, realm, first_slot)) STRICT, WITHOUT ROWID;
CREATE INDEX withdrawal_line ON withdrawal (reader, collection, max_no);
-- Which receipts of a line may hold an instance.
CREATE INDEX receipt_line ON receipt (reader, collection, max_no);

-- Bodies that were accepted and are still to be processed; the status is in `status`.
CREATE TABLE post (
  no INTEGER PRIMARY KEY AUTOINCREMENT, reader INTEGER NOT NULL, realm TEXT NOT NULL, status TEXT NOT NULL, collection INTEGER NOT NULL,
  at INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX post_reader ON post (reader, no);

-- Which redacted copy was made of which instance. Never leaves the node.
CREATE TABLE copy_of (copy INTEGER NOT NULL, original INTEGER NOT NULL, PRIMARY KEY (copy, original)) STRICT, WITHOUT ROWID;
CREATE INDEX copy_of_original ON copy_of (original);

-- What was refused of batches that are being staged.
CREATE TABLE staged_rejected (
  no INTEGER PRIMARY KEY, batch INTEGER NOT NULL, collection INTEGER NOT NULL, origin TEXT NOT NULL, id TEXT, path TEXT NOT NULL,
  cause TEXT NOT NULL, at INTEGER NOT NULL, raw BLOB NOT NULL) STRICT;
