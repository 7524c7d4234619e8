-- Whose token it is: a person and their tokens are one when approvals are counted. Null: made at the command line for nobody.
ALTER TABLE tokens ADD COLUMN owner TEXT;
