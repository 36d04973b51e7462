"""A PostgreSQL for the tests: one server for each process that runs tests, empty for each test."""

import atexit
import getpass
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import cache, cached_property
from itertools import count
from pathlib import Path

import pytest

REQUIRED = "POSTGRES_REQUIRED"
"""Set by what runs all tests: then it is a failure, not a reason to skip, that PostgreSQL is not installed."""

SETTINGS = {
    "fsync": "off",  # nobody pulls the plug on these
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "300",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "fatal",
}
serial = count(1)


def programs() -> Path | None:
    """Where initdb is."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists()), None)


@cache
def server() -> "Server":
    """Started when it is first asked for. Skips the test where PostgreSQL is not installed."""
    found = programs()
    if found is None:
        reason = "PostgreSQL is not installed: apt-get install postgresql, or put initdb on the path"
        if os.environ.get(REQUIRED):
            pytest.fail(reason)
        pytest.skip(reason)
    return Server(found)


class Server:
    def __init__(self, programs: Path, **settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mutoscope-postgres-"))
        self.user = unprivileged()
        self.password = secrets.token_hex(16)
        self.port = free_port()
        self.programs, self.settings = programs, SETTINGS | settings
        self.folder_of_test: Path | None = None
        self.urls: dict[Path, str] = {}  # data directories of this test's mutoscopes → their databases
        self.process: subprocess.Popen[bytes] | None = None
        (self.folder / "password").write_text(self.password)
        for path in (self.folder, self.folder / "password"):
            shutil.chown(path, self.user)
        self.make()
        self.start()
        atexit.register(self.remove)

    def make(self) -> None:
        words = ["--no-sync", "--auth=md5", "--username=mutoscope", "--encoding=UTF8", "--locale=C.UTF-8"]
        secret = f"--pwfile={self.folder / 'password'}"
        command = [self.programs / "initdb", "-D", self.folder / "data", secret, *words]
        subprocess.run(command, check=True, capture_output=True, user=self.user, cwd=self.folder)

    def start(self) -> None:
        said = [f"-c{name}={value}" for name, value in self.settings.items()]
        place = f"-cunix_socket_directories={self.folder}"
        command = [self.programs / "postgres", "-D", self.folder / "data", f"-p{self.port}", place, *said]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, user=self.user, cwd=self.folder, stdout=quiet, stderr=quiet)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                self.execute("SELECT 1", database="postgres")
                return
            except Exception:
                if self.process.poll() is not None:
                    raise RuntimeError(f"PostgreSQL did not start: {command}") from None
                time.sleep(0.05)
        raise TimeoutError("PostgreSQL did not start within a minute")

    def stop(self) -> None:
        """At once, as a crash would."""
        if self.process is not None:
            self.process.send_signal(3)  # SIGQUIT: immediate shutdown
            _ = self.process.wait(30)
            self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        return f"postgresql://mutoscope:{self.password}@127.0.0.1:{self.port}/{database}"

    def execute(self, sql: str, rows: Sequence[Sequence[object]] = (), *, database: str) -> list[tuple[object, ...]]:
        """Once, or once for each row of values."""
        import psycopg  # late: what needs no PostgreSQL does not wait for it

        with psycopg.connect(self.url(database), autocommit=not rows) as db:
            cursor = db.cursor()
            if rows:
                cursor.executemany(sql.encode(), rows, returning=sql.startswith("SELECT"))
            else:
                _ = cursor.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def fresh(self) -> str:
        """The URL of a database without tables."""
        name = f"test_{next(serial)}"
        self.execute(f"CREATE DATABASE {name}", database="postgres")
        return self.url(name)

    @cached_property
    def migrated(self) -> str:
        from mutoscope.store.postgres import PostgresConnection, connect  # late, as above

        url = self.fresh()
        db = PostgresConnection(lambda: connect(url, 5.0))
        db.migrate()
        db.close()
        return url

    def of(self, folder: Path) -> str:
        """The URL of a database with the schema, empty where another folder has had it last. It is the same one each
        time: to make one takes as long as a test."""
        if folder != self.folder_of_test:
            self.execute(EMPTY, database=self.migrated.rpartition("/")[2])
            self.folder_of_test = folder
        return self.migrated


EMPTY = """
    DO $$ DECLARE found RECORD; BEGIN
        SET LOCAL session_replication_role = replica;  -- no triggers
        FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_version' LOOP
            EXECUTE format('DELETE FROM %I', found.tablename);
        END LOOP;
        INSERT INTO key_changes (number) VALUES (0);
        INSERT INTO removals (number) VALUES (0);
    END $$"""


def unprivileged() -> str:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return getpass.getuser()
    known = {each.pw_name for each in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]
