-- What belongs to a message beside its content, opaque like it: how the content was written, its
-- initialisation vector, its hash.
ALTER TABLE messages ADD COLUMN extra BLOB;
