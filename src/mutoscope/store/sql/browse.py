"""Jobs as an operator looks through them: of all owners, sifted, the newest first."""

# ruff: noqa: S608  (what is put into the SQL here are our own constants)

from mutoscope.store.protocol import Sieve
from mutoscope.store.sql.jobs import first_id
from mutoscope.store.sql.rows import COLUMNS, DISPATCH_COLUMNS, Row, Value

DOUBTFUL = f"""SELECT {DISPATCH_COLUMNS} FROM dispatches WHERE sent IN ('unknown', 'intended')
    ORDER BY job DESC, number DESC LIMIT ?"""
EQUAL = ("owner", "model", "wire", "engine")


def query(sieve: Sieve, limit: int) -> tuple[str, Row]:
    """The statement and its values. "id > ''" is true of all, and lets an index find the end."""
    which, values = ["deleted = 0", "id > ?"], list[Value]([first_id(sieve.since) if sieve.since else ""])
    for name in EQUAL:
        if (value := getattr(sieve, name)) is not None:
            which.append(f"{name} = ?")
            values.append(value)
    if sieve.state is not None:
        which.append(f"state = ? AND finished IS {'NOT NULL' if sieve.state.final else 'NULL'}")
        values.append(sieve.state.value)
    for end in filter(None, (sieve.before, first_id(sieve.until) if sieve.until else "")):
        which.append("id < ?")
        values.append(end)
    return f"SELECT {COLUMNS} FROM jobs WHERE {' AND '.join(which)} ORDER BY id DESC LIMIT ?", (*values, limit)
