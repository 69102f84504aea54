-- What one person says on end, with ids that follow one another, has one row by which it is found;
-- see sqlite_bursts.c. It takes the place of three indexes that had an entry for every message. Those
-- that are here already stand alone: nothing changes about a burst once it is committed.
CREATE TABLE message_bursts (
	conversation_id INTEGER NOT NULL,
	first_id INTEGER NOT NULL, -- of messages
	length INTEGER NOT NULL CHECK (length > 0),
	-- As in each of its messages. A commit stands alone.
	user_id INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	begins_epoch INTEGER NOT NULL CHECK (begins_epoch = 0 OR length = 1),
	-- The first message's client_id: all but the twelve hexadecimal digits at its end, and these,
	-- which count the messages. One that does not end so is a series of its own, without a number.
	-- A number alone: it follows its author's burst before it, whose series it goes on counting.
	client_series BLOB CHECK (client_series IS NULL OR client_number IS NOT NULL),
	client_number BLOB CHECK (length = 1 OR client_number IS NULL OR length(client_number) = 12),
	PRIMARY KEY (conversation_id, first_id),
	CHECK (client_number IS NULL OR client_series IS NOT NULL
		OR (expires_at = 0 AND length(client_number) = 12))
) STRICT, WITHOUT ROWID;

INSERT INTO message_bursts
	SELECT conversation_id, id, 1, user_id, expires_at, begins_epoch,
		CASE WHEN digits THEN substr(client_id, 1, length(client_id) - 12) ELSE client_id END,
		CASE WHEN digits THEN substr(client_id, -12) WHEN client_id IS NOT NULL THEN x'' END
	FROM (SELECT *, length(client_id) >= 12 AND CAST(substr(client_id, -12) AS TEXT) GLOB
			'[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]'
			|| '[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]' AS digits
		FROM messages)
	ORDER BY conversation_id, id;

CREATE UNIQUE INDEX message_bursts_once
	ON message_bursts (conversation_id, user_id, client_series, client_number)
	WHERE client_series IS NOT NULL;
CREATE INDEX message_bursts_by_expiry ON message_bursts (expires_at) WHERE expires_at > 0;
DROP INDEX messages_by_conversation;
DROP INDEX messages_once;
DROP INDEX messages_by_expiry;

DROP TRIGGER conversations_emptied;
CREATE TRIGGER conversations_emptied AFTER DELETE ON conversations BEGIN
	DELETE FROM messages WHERE id IN (SELECT m.id FROM message_bursts b CROSS JOIN messages m
		ON m.id >= b.first_id AND m.id < b.first_id + b.length
		WHERE b.conversation_id = old.id);
	DELETE FROM message_bursts WHERE conversation_id = old.id;
END;
