"""Jobs at a vendor, once more with the store in PostgreSQL: a sample with one of each kind."""

import pytest
from test_late import (  # noqa: F401 - they are run again
    test_a_cancel_goes_upstream_where_the_vendor_has_one,
    test_a_job_that_timed_out_here_is_settled_by_what_arrives_late,
    test_jobs_at_a_vendor_outlive_a_restart,
)
from test_relay import test_ten_jobs_come_back_as_ten  # noqa: F401

pytestmark = pytest.mark.usefixtures("on_postgres")
