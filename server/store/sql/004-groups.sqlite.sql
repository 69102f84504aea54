-- Conversations as MLS groups (RFC 9420), of which the server knows nothing but the number of the
-- epoch: it orders commits, hands out key packages, and keeps Welcomes and one GroupInfo.

-- A commit is a message, and begins this epoch; 0: another message.
ALTER TABLE messages ADD COLUMN begins_epoch INTEGER NOT NULL DEFAULT 0 CHECK (begins_epoch >= 0);
CREATE UNIQUE INDEX messages_commits ON messages (conversation_id, begins_epoch)
	WHERE begins_epoch > 0;
-- Pages, last message and unread count from the index alone, still.
DROP INDEX messages_by_conversation;
CREATE INDEX messages_by_conversation
	ON messages (conversation_id, id, user_id, expires_at, begins_epoch);

-- What a device is certified with is the key of its leaves.
ALTER TABLE devices RENAME COLUMN hpke_public TO signature_key;

CREATE TABLE groups (
	conversation_id INTEGER PRIMARY KEY REFERENCES conversations (id) ON DELETE CASCADE,
	epoch INTEGER NOT NULL CHECK (epoch > 0),
	message_id INTEGER NOT NULL, -- the commit that began it
	group_info BLOB NOT NULL
) STRICT;

CREATE TABLE key_packages (
	id INTEGER PRIMARY KEY,
	user_id INTEGER NOT NULL,
	device_id BLOB NOT NULL,
	last_resort INTEGER NOT NULL CHECK (last_resort IN (0, 1)),
	package BLOB NOT NULL,
	FOREIGN KEY (user_id, device_id) REFERENCES devices (user_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX key_packages_by_device ON key_packages (user_id, device_id, last_resort, id);
CREATE UNIQUE INDEX key_packages_last ON key_packages (user_id, device_id) WHERE last_resort = 1;

-- One Welcome is for many devices: it goes with the last of them.
CREATE TABLE welcomes (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
	epoch INTEGER NOT NULL,
	message_id INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	welcome BLOB NOT NULL
) STRICT;
CREATE INDEX welcomes_by_conversation ON welcomes (conversation_id);
CREATE INDEX welcomes_by_age ON welcomes (created_at);
CREATE TABLE welcome_devices (
	user_id INTEGER NOT NULL,
	device_id BLOB NOT NULL,
	welcome_id INTEGER NOT NULL REFERENCES welcomes (id) ON DELETE CASCADE,
	conversation_id INTEGER NOT NULL,
	PRIMARY KEY (user_id, device_id, welcome_id),
	FOREIGN KEY (user_id, device_id) REFERENCES devices (user_id, id) ON DELETE CASCADE,
	FOREIGN KEY (conversation_id, user_id)
		REFERENCES conversation_participants (conversation_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX welcome_devices_by_welcome ON welcome_devices (welcome_id);
CREATE INDEX welcome_devices_by_participant ON welcome_devices (conversation_id, user_id);
CREATE TRIGGER welcome_devices_removed AFTER DELETE ON welcome_devices
WHEN NOT EXISTS (SELECT 1 FROM welcome_devices WHERE welcome_id = old.welcome_id) BEGIN
	DELETE FROM welcomes WHERE id = old.welcome_id;
END;
