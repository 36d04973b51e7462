"""What was said to vendors is kept by every store: with its job, in bounds, without secrets."""

import msgspec
import pytest
from store_samples import T0, make_job

from mutoscope.engines.transcripts import TALKING_OF, Transcripts, readable
from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.model.job import State
from mutoscope.store import Kept, Store
from mutoscope.telemetry import logs


async def test_what_vendors_are_told_is_kept_with_its_job_in_bounds_and_without_secrets(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "known", {"hidden-vendor-key"})

    def say(kept: Transcripts, job: str, numbers: range) -> None:
        TALKING_OF.set(job)
        for number in numbers:
            body = b'{"prompt": "x", "api_key": "hidden", "callback": "https://x/callbacks/hidden", "image": "'
            request = HttpRequest(
                method="POST", path="/v1/x", query={"token": "hidden"}, body=body + b"A" * 2000 + b'"}'
            )
            answer = HttpResponse(body=b'["https://x.example/y?X-Amz-Signature=hidden&n=1", "hidden-vendor-key"]')
            kept.add("acme", request, answer, "2xx", at=float(number), seconds=0.1)
        TALKING_OF.set("")

    jobs = [await store.add(make_job(state=State.SUCCEEDED, finished=T0)) for _ in range(4)]
    kept, other = (Transcripts(store, most_bytes=1 << 20) for _ in range(2))  # two processes
    for each in jobs[:2]:
        say(kept, each.id, range(20))
    say(kept, "gone", range(2))
    said = await kept.of(jobs[0].id)
    assert [each.at for each in said] == [0.0, 1.0, 2.0, 3.0, *map(float, range(10, 20))]
    assert "hidden" not in msgspec.json.encode(said).decode()
    assert "[2,000 characters]" in said[0].request
    assert readable(b"\xff\xfe") == "[2 bytes that are no text]"
    say(other, jobs[0].id, range(20, 23))
    assert [each.at for each in await other.of(jobs[0].id)] == [0.0, 1.0, 2.0, 3.0, *map(float, range(13, 23))]
    assert await kept.of(jobs[0].id) == await other.of(jobs[0].id)
    one = len(msgspec.json.encode(said[0]))
    small, least = Transcripts(store, most_bytes=3 * one), Transcripts(store, most_bytes=one // 2)
    say(small, jobs[2].id, range(9))
    assert [each.at for each in await small.of(jobs[2].id)] == [0.0, 1.0, 8.0]
    say(least, jobs[3].id, range(9))
    assert await least.of(jobs[3].id) == await kept.of("gone") == ()
    assert await store.delete(jobs[0].id)
    swept = await store.sweep(Kept.JOBS, before=T0 + 1, now=T0 + 1, limit=9, spared=(jobs[2].id,))
    assert swept.removed == 3
    assert [len(await kept.of(each.id)) for each in jobs] == [0, 0, 3, 0]
    assert (await store.forget("alice", limit=9, now=T0)).jobs == 1
    assert await kept.of(jobs[2].id) == ()
    await store.close()
    say(kept, jobs[2].id, range(2))
    await kept.write()  # what cannot be written is lost, and nobody hears of it but the log
