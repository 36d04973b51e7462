"""`mutoscope` with the lock of PostgreSQL's transactions taken out: what a test of the lock has to fail on."""

from mutoscope.cli import main
from mutoscope.store import postgres

if __name__ == "__main__":
    postgres.LOCK = "SELECT 1"
    main()
