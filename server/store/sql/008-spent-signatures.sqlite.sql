-- A signature that is remembered under a unique key costs a page at random, in the WAL and again in
-- the database. Now each commit adds one row behind the others, with the marks of all signatures that
-- it spends: the user's id in eight bytes, little-endian, and the first sixteen of the signature's
-- SHA-256. Which marks there are is known in memory (store/spent.h).
CREATE TABLE spent_signatures (
	id INTEGER PRIMARY KEY,
	expires_at INTEGER NOT NULL,
	marks BLOB NOT NULL CHECK (length(marks) > 0 AND length(marks) % 24 = 0)
) STRICT;

-- What is remembered now stays so. SQL makes bytes of a number only by looking them up.
INSERT INTO spent_signatures (expires_at, marks)
	WITH every (b) AS (SELECT CAST(x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
		|| x'202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f'
		|| x'404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f'
		|| x'606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f'
		|| x'808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f'
		|| x'a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf'
		|| x'c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf'
		|| x'e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff' AS BLOB))
	SELECT expires_at, CAST(
		substr(b, (user_id >> 0 & 255) + 1, 1)
		|| substr(b, (user_id >> 8 & 255) + 1, 1)
		|| substr(b, (user_id >> 16 & 255) + 1, 1)
		|| substr(b, (user_id >> 24 & 255) + 1, 1)
		|| substr(b, (user_id >> 32 & 255) + 1, 1)
		|| substr(b, (user_id >> 40 & 255) + 1, 1)
		|| substr(b, (user_id >> 48 & 255) + 1, 1)
		|| substr(b, (user_id >> 56 & 255) + 1, 1)
		|| signature_hash AS BLOB)
	FROM signatures, every ORDER BY id;
DROP TABLE signatures;
