-- What form 4 added to form 3; a store of form 3 gets it when it is opened.

-- Overrides by two persons (L-157). state: see `OverrideState`. instances: what it opens roads of, four octets each.
CREATE TABLE override_act (
  no INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, until INTEGER NOT NULL, changed INTEGER NOT NULL,
  why TEXT, instances BLOB NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX override_act_state ON override_act (state, no);
-- Requests to originators. state: see `RequestState`.
CREATE TABLE originator_request (
  no INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, changed INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX originator_request_state ON originator_request (state, no);
