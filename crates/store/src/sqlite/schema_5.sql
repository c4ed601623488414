-- What form 5 added to form 4; a store of form 4 gets it when it is opened.

-- Instances whose references were read anew when the store was brought to this form: who sees them is settled with the next rights.
CREATE TABLE unsettled (instance INTEGER PRIMARY KEY) STRICT;
