-- Messages are counted once for each commit, and not by a statement of their own for each.
DROP TRIGGER messages_added;
