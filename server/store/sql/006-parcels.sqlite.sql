-- What somebody without an account leaves for whoever has a link.

CREATE TABLE parcels (
	id TEXT PRIMARY KEY CHECK (length(id) = 32),
	access BLOB NOT NULL CHECK (length(access) = 32),
	owner BLOB NOT NULL CHECK (length(owner) = 32),
	head_bytes INTEGER NOT NULL CHECK (head_bytes > 0),
	bytes INTEGER NOT NULL CHECK (bytes > head_bytes),
	position INTEGER NOT NULL DEFAULT 0 CHECK (position BETWEEN 0 AND bytes),
	downloads INTEGER NOT NULL CHECK (downloads > 0),
	-- Seconds that it is kept once all of it is there.
	lifetime INTEGER NOT NULL CHECK (lifetime > 0),
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	ready INTEGER NOT NULL DEFAULT 0 CHECK (ready IN (0, 1)),
	-- 0: not; 1: taken as often as was allowed; 2: revoked; 3: its time was over.
	ended INTEGER NOT NULL DEFAULT 0 CHECK (ended BETWEEN 0 AND 3),
	ended_at INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX parcels_by_expiry ON parcels (expires_at) WHERE ended = 0;
CREATE INDEX parcels_by_end ON parcels (ended_at) WHERE ended > 0;

CREATE TABLE parcel_claims (
	parcel_id TEXT NOT NULL REFERENCES parcels (id) ON DELETE CASCADE,
	token BLOB NOT NULL CHECK (length(token) = 32),
	-- 1: reserved until lapses_at; 2: bytes were given out; 3: received.
	state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3),
	lapses_at INTEGER NOT NULL,
	changed_at INTEGER NOT NULL,
	receipt BLOB CHECK (length(receipt) = 40),
	PRIMARY KEY (parcel_id, token),
	CHECK ((state = 3) = (receipt IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- The whole length counts from the start.
INSERT INTO counters (name, value) VALUES ('parcel_bytes', 0);
CREATE TRIGGER parcels_added AFTER INSERT ON parcels BEGIN
	UPDATE counters SET value = value + new.bytes WHERE name = 'parcel_bytes';
END;
CREATE TRIGGER parcels_ended AFTER UPDATE OF ended ON parcels
WHEN old.ended = 0 AND new.ended <> 0 BEGIN
	UPDATE counters SET value = value - old.bytes WHERE name = 'parcel_bytes';
END;
CREATE TRIGGER parcels_removed AFTER DELETE ON parcels WHEN old.ended = 0 BEGIN
	UPDATE counters SET value = value - old.bytes WHERE name = 'parcel_bytes';
END;
