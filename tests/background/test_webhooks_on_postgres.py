"""Webhooks, once more with the store in PostgreSQL: a sample with one of each kind."""

import pytest
from test_webhooks import (  # noqa: F401 - they are run again
    receiver,
    test_a_message_that_was_given_up_can_be_replayed,
    test_every_change_is_told_in_the_words_of_a_read,
    test_what_is_owed_at_a_stop_is_sent_after_the_next_start,
)

pytestmark = pytest.mark.usefixtures("on_postgres")
