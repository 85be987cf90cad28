"""Watch the running worker: its end, its actions, its connection, its password."""
