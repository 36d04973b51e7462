"""Money, once more with the store in PostgreSQL: a sample with one of each kind."""

import pytest
from test_money import (  # noqa: F401 - they are run again
    test_a_job_that_fails_gives_back_what_it_set_aside,
    test_many_creates_at_once_spend_no_more_than_there_is,
    test_the_account_has_what_is_set_aside_and_the_charges_of_its_period,
    test_usage_is_read_from_the_ledger_and_stays_when_jobs_are_deleted,
)

pytestmark = pytest.mark.usefixtures("on_postgres")
