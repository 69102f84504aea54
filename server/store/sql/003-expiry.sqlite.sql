-- Messages that disappear, and when a session ends by people leaving it.

-- 0: when the last one leaves; 1: when anyone does.
ALTER TABLE conversations ADD COLUMN ends_when INTEGER NOT NULL DEFAULT 0
	CHECK (ends_when IN (0, 1));
-- Seconds that a message lives which is sent from now on; 0: until the conversation ends.
ALTER TABLE conversations ADD COLUMN message_ttl INTEGER NOT NULL DEFAULT 0
	CHECK (message_ttl >= 0);

-- 0: never on its own.
ALTER TABLE messages ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX messages_by_expiry ON messages (expires_at) WHERE expires_at > 0;
CREATE INDEX files_by_expiry ON files (expires_at) WHERE expires_at > 0;

-- Pages, last message and unread count from the index alone, still.
DROP INDEX messages_by_conversation;
CREATE INDEX messages_by_conversation ON messages (conversation_id, id, user_id, expires_at);
