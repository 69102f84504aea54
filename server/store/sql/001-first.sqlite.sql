-- The first schema. Never edited once released: later changes are files of their own.
--
-- Everything a message post touches is kept at the end of a b-tree or within its conversation, so
-- that a group commit writes few pages: messages append by id, one index page per conversation.

CREATE TABLE meta (
	key TEXT PRIMARY KEY,
	value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Kept by triggers, because count(*) walks a whole b-tree. 'probe' is what a health check writes.
CREATE TABLE counters (
	name TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES
	('conversations', 0), ('files', 0), ('messages', 0), ('probe', 0), ('users', 0);

-- In the order of coming, which is nearly that of expiry: of the two b-trees that each signed request
-- changes, only the unique one is written to at random.
CREATE TABLE signatures (
	id INTEGER PRIMARY KEY,
	user_id INTEGER NOT NULL,
	signature_hash BLOB NOT NULL CHECK (length(signature_hash) = 16),
	expires_at INTEGER NOT NULL,
	UNIQUE (user_id, signature_hash)
) STRICT;

CREATE TABLE tokens (
	kind TEXT NOT NULL,
	hash BLOB NOT NULL CHECK (length(hash) = 32),
	value BLOB NOT NULL,
	expires_at INTEGER NOT NULL,
	PRIMARY KEY (kind, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_expiry ON tokens (expires_at);

CREATE TABLE users (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	username TEXT NOT NULL COLLATE NOCASE UNIQUE,
	email TEXT NOT NULL COLLATE NOCASE,
	public_key BLOB NOT NULL UNIQUE CHECK (length(public_key) = 32),
	password_hash TEXT NOT NULL,
	totp_sealed BLOB NOT NULL,
	totp_last_step INTEGER NOT NULL DEFAULT 0,
	encryption_iv TEXT NOT NULL,
	quota_bytes INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	admin INTEGER NOT NULL CHECK (admin IN (0, 1)),
	disabled INTEGER NOT NULL CHECK (disabled IN (0, 1))
) STRICT;
CREATE UNIQUE INDEX users_by_email ON users (email) WHERE email <> '';

-- Apart from users, so that a login does not drag the kilobytes along.
CREATE TABLE user_wrapped_keys (
	user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	encrypted_private_key BLOB NOT NULL
) STRICT;

CREATE TABLE user_usage (
	user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
	bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0)
) STRICT;

CREATE TABLE recovery_codes (
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	hash BLOB NOT NULL CHECK (length(hash) = 32),
	PRIMARY KEY (user_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	token BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
	refresh BLOB NOT NULL UNIQUE CHECK (length(refresh) = 32),
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Refresh tokens that were exchanged: one that comes a second time is stolen.
CREATE TABLE spent_refreshes (
	refresh BLOB PRIMARY KEY CHECK (length(refresh) = 32),
	session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_refreshes_by_session ON spent_refreshes (session_id);

CREATE TABLE devices (
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
	hpke_public BLOB NOT NULL CHECK (length(hpke_public) = 32),
	created_at INTEGER NOT NULL,
	certificate BLOB NOT NULL CHECK (length(certificate) = 64),
	registered_at INTEGER NOT NULL,
	PRIMARY KEY (user_id, id)
) STRICT, WITHOUT ROWID;

-- closed_at: a tombstone. Its participants stay, so that they are told that it is gone.
CREATE TABLE conversations (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 4),
	name BLOB NOT NULL,
	creator_id INTEGER NOT NULL REFERENCES users (id),
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL DEFAULT 0,
	closed_at INTEGER NOT NULL DEFAULT 0,
	direct_low INTEGER,  -- the two of a direct one, in order
	direct_high INTEGER,
	CHECK ((kind = 1) = (direct_low IS NOT NULL AND direct_high IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX conversations_direct ON conversations (direct_low, direct_high)
	WHERE kind = 1;
CREATE INDEX conversations_by_expiry ON conversations (expires_at)
	WHERE expires_at > 0 AND closed_at = 0;
CREATE INDEX conversations_closed ON conversations (closed_at) WHERE closed_at > 0;

CREATE TABLE conversation_participants (
	conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
	user_id INTEGER NOT NULL REFERENCES users (id),
	joined_at INTEGER NOT NULL,
	PRIMARY KEY (conversation_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_participants_by_user
	ON conversation_participants (user_id, conversation_id);

CREATE TABLE message_read_statuses (
	conversation_id INTEGER NOT NULL,
	user_id INTEGER NOT NULL,
	message_id INTEGER NOT NULL,
	read_at INTEGER NOT NULL,
	PRIMARY KEY (conversation_id, user_id),
	FOREIGN KEY (conversation_id, user_id)
		REFERENCES conversation_participants (conversation_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE keys (
	conversation_id INTEGER NOT NULL,
	user_id INTEGER NOT NULL,
	wrapped_key BLOB NOT NULL,
	updated_at INTEGER NOT NULL,
	PRIMARY KEY (conversation_id, user_id),
	FOREIGN KEY (conversation_id, user_id)
		REFERENCES conversation_participants (conversation_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The rowid table is in the order of ids, which is the order of every conversation.
CREATE TABLE messages (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
	user_id INTEGER NOT NULL REFERENCES users (id),
	created_at INTEGER NOT NULL,
	client_id BLOB,
	content BLOB NOT NULL
) STRICT;
-- Pages, last message and unread count from the index alone.
CREATE INDEX messages_by_conversation ON messages (conversation_id, id, user_id);
CREATE UNIQUE INDEX messages_once ON messages (conversation_id, user_id, client_id)
	WHERE client_id IS NOT NULL;

-- message_id needs no foreign key: messages go only with their conversation, and so do its files.
CREATE TABLE files (
	id TEXT PRIMARY KEY CHECK (length(id) = 32),
	owner_id INTEGER NOT NULL REFERENCES users (id),
	conversation_id INTEGER REFERENCES conversations (id),
	message_id INTEGER,
	bytes INTEGER NOT NULL CHECK (bytes >= 0),
	sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
	created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX files_by_owner ON files (owner_id);
CREATE INDEX files_by_conversation ON files (conversation_id) WHERE conversation_id IS NOT NULL;

CREATE TABLE uploads (
	id TEXT PRIMARY KEY CHECK (length(id) = 32),
	owner_id INTEGER NOT NULL REFERENCES users (id),
	conversation_id INTEGER REFERENCES conversations (id),
	length INTEGER NOT NULL CHECK (length >= -1),
	position INTEGER NOT NULL CHECK (position >= 0),
	metadata BLOB NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	CHECK (length = -1 OR position <= length)
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_by_owner ON uploads (owner_id);
CREATE INDEX uploads_by_expiry ON uploads (expires_at);
CREATE INDEX uploads_by_conversation ON uploads (conversation_id)
	WHERE conversation_id IS NOT NULL;

CREATE TRIGGER users_added AFTER INSERT ON users BEGIN
	INSERT INTO user_usage (user_id) VALUES (new.id);
	UPDATE counters SET value = value + 1 WHERE name = 'users';
END;
CREATE TRIGGER users_removed AFTER DELETE ON users BEGIN
	UPDATE counters SET value = value - 1 WHERE name = 'users';
END;
CREATE TRIGGER conversations_added AFTER INSERT ON conversations BEGIN
	UPDATE counters SET value = value + 1 WHERE name = 'conversations';
END;
CREATE TRIGGER conversations_ended AFTER UPDATE OF closed_at ON conversations
WHEN old.closed_at = 0 AND new.closed_at <> 0 BEGIN
	UPDATE counters SET value = value - 1 WHERE name = 'conversations';
END;
CREATE TRIGGER conversations_removed AFTER DELETE ON conversations WHEN old.closed_at = 0 BEGIN
	UPDATE counters SET value = value - 1 WHERE name = 'conversations';
END;
CREATE TRIGGER messages_added AFTER INSERT ON messages BEGIN
	UPDATE counters SET value = value + 1 WHERE name = 'messages';
END;
CREATE TRIGGER messages_removed AFTER DELETE ON messages BEGIN
	UPDATE counters SET value = value - 1 WHERE name = 'messages';
END;
CREATE TRIGGER files_added AFTER INSERT ON files BEGIN
	UPDATE counters SET value = value + 1 WHERE name = 'files';
	UPDATE user_usage SET bytes = bytes + new.bytes WHERE user_id = new.owner_id;
END;
CREATE TRIGGER files_removed AFTER DELETE ON files BEGIN
	UPDATE counters SET value = value - 1 WHERE name = 'files';
	UPDATE user_usage SET bytes = bytes - old.bytes WHERE user_id = old.owner_id;
END;

-- An upload counts with its whole length from the start; without one, with what has come.
CREATE TRIGGER uploads_added AFTER INSERT ON uploads BEGIN
	UPDATE user_usage SET bytes = bytes + iif(new.length < 0, new.position, new.length)
		WHERE user_id = new.owner_id;
END;
CREATE TRIGGER uploads_changed AFTER UPDATE OF length, position ON uploads
WHEN iif(new.length < 0, new.position, new.length)
	<> iif(old.length < 0, old.position, old.length) BEGIN
	UPDATE user_usage SET bytes = bytes + iif(new.length < 0, new.position, new.length)
		- iif(old.length < 0, old.position, old.length) WHERE user_id = new.owner_id;
END;
CREATE TRIGGER uploads_removed AFTER DELETE ON uploads BEGIN
	UPDATE user_usage SET bytes = bytes - iif(old.length < 0, old.position, old.length)
		WHERE user_id = old.owner_id;
END;
