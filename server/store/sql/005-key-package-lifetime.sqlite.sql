-- Until when a key package may be used (RFC 9420 7.2), by its device's word: the server cannot look
-- into it, and one that has lapsed must not be given out before one that has not. 0: not said.
ALTER TABLE key_packages ADD COLUMN not_after INTEGER NOT NULL DEFAULT 0 CHECK (not_after >= 0);
