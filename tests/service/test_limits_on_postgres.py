"""Limits, once more with the store in PostgreSQL: a sample with one of each kind."""

import pytest
from test_limits import (  # noqa: F401 - they are run again
    test_a_keys_own_jobs_a_day_win_and_are_told_by_runways_organization,
    test_a_keys_own_share_of_unfinished_jobs_wins,
    test_bytes_of_a_day_are_known_after_a_restart,
    test_every_owner_gets_on_while_one_floods,
)

pytestmark = pytest.mark.usefixtures("on_postgres")
