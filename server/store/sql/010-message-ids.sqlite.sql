-- What each message cost beside its own pages: AUTOINCREMENT reads and writes a table of its own for
-- every row, and foreign keys look two rows up that whoever appends has just read. Now the number of
-- the last message is a counter, written once for each commit: the id of a message that was destroyed
-- is given to no other, still.
INSERT INTO counters (name, value)
	VALUES ('last_message', coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'messages'), 0));
DELETE FROM sqlite_sequence WHERE name = 'messages';

-- No row changes, so the table is not copied: https://sqlite.org/lang_altertable.html#otheralter
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(replace(replace(sql, ' AUTOINCREMENT', ''),
		' REFERENCES conversations (id) ON DELETE CASCADE', ''), ' REFERENCES users (id)', '')
	WHERE type = 'table' AND name = 'messages';
PRAGMA writable_schema = RESET;

-- In place of the foreign key. Users stay; and a new trigger tells other handles of the new schema.
CREATE TRIGGER conversations_emptied AFTER DELETE ON conversations BEGIN
	DELETE FROM messages WHERE conversation_id = old.id;
END;
