-- The device that a login is used by, once it has said which: its removal ends the login.
ALTER TABLE sessions ADD COLUMN device BLOB REFERENCES devices (id) ON DELETE CASCADE;
CREATE INDEX sessions_by_device ON sessions (device) WHERE device IS NOT NULL;
