"""The store in SQL: the transitions, each beside its statements, and one thread that writes; for every database."""
