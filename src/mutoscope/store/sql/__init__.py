"""The store on SQLite: the transitions, each beside its SQL, one thread that writes, and migrations as files."""
