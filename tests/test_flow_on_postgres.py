"""What a caller sees, once more with the store in PostgreSQL: a sample with one of each kind."""

import pytest

from test_flow import (  # noqa: F401 - they are run again
    test_a_canceled_job_stays_canceled_whatever_comes_late,
    test_a_full_model_throttles_and_lets_the_next_one_go,
    test_a_request_becomes_a_file_of_the_size_that_was_asked_for,
    test_deleting_a_running_task_ends_it_for_good,
    test_keys_are_asked_for_and_owners_see_only_their_own,
    test_the_daily_limit_is_told_in_the_vendors_words,
    test_usage_counts_what_succeeded_and_the_account_what_was_made,
    test_what_a_stop_interrupts_is_made_by_the_next_start,
)

pytestmark = pytest.mark.usefixtures("on_postgres")
