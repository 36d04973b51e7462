"""Responses that accounts keep: whose they are, which account has them, and that they pass as they are."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from aiohttp import web
from test_stream import Handler, account, streaming, upstream

from mutoscope.service.keys import digest

Start = Callable[..., AbstractAsyncContextManager[Any]]
ANN, BOB = ({"authorization": f"Bearer msk_the-secret-of-{name}"} for name in ("ann", "bob"))
KEYS = [{"name": name, "sha256": digest(f"msk_the-secret-of-{name}")} for name in ("ann", "bob")]


def keeping(seen: list[tuple[str, str, bytes]], name: str, *known: str) -> Handler:
    """A vendor that keeps every response."""
    made = set(known)

    async def handler(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        seen.append((request.method, request.path_qs, body))
        id = request.path.split("/")[3] if request.path.count("/") > 2 else f"resp_{name}{len(made)}"
        whole = {"id": id, "object": "response", "output": [], "usage": {"input_tokens": 3, "output_tokens": 2}}
        if request.path == "/v1/responses":
            made.add(id)
            if not json.loads(body).get("stream"):
                return web.json_response(whole)
            response = await streaming(request)
            for kind in ("created", "completed"):
                event = {"type": f"response.{kind}", "response": whole}
                await response.write(b"event: response.%b\ndata: %b\n\n" % (kind.encode(), json.dumps(event).encode()))
            return response
        if id not in made:
            return web.json_response({"error": {"message": "Not there.", "type": "invalid_request_error"}}, status=404)
        return web.json_response(whole | {"at": request.path})

    return handler


async def test_an_accounts_response_is_asked_for_again_by_its_owner_only_and_untouched(start: Start) -> None:
    seen: list[Any] = []
    async with (
        upstream(keeping(seen, "a")) as one,
        upstream(keeping(seen, "b")) as other,
        start(
            keys=KEYS,
            accounts={
                "one": account(one, models=["m"], open_models=False),
                "other": account(other, models=["n"], open_models=False),
            },
        ) as running,
    ):
        client = running.client

        async def asked(method: str, path: str, headers: Any = ANN, **more: Any) -> tuple[int, Any]:
            answer = await client.request(method, path, headers=headers, **more)
            return answer.status_code, answer.json() if answer.content else None

        streams = await client.post("/v1/responses", headers=ANN, json={"model": "m", "input": "x", "stream": True})
        assert "resp_a0" in streams.text
        _, whole = await asked("POST", "/v1/responses", json={"model": "n", "input": "x"})
        assert whole["id"] == "resp_b0"
        _, unkept = await asked("POST", "/v1/responses", json={"model": "n", "input": "x", "store": False})
        seen.clear()
        path = "/v1/responses/resp_a0"
        assert (await asked("GET", f"{path}?include[]=a&stream=false"))[1]["at"] == path
        assert (await asked("GET", f"{path}/input_items?limit=3"))[1]["at"] == f"{path}/input_items"
        assert (await asked("POST", "/responses/resp_b0/cancel"))[1]["at"] == "/v1/responses/resp_b0/cancel"
        assert [(method, sent) for method, sent, _ in seen] == [
            ("GET", f"{path}?include%5B%5D=a&stream=false"),
            ("GET", f"{path}/input_items?limit=3"),
            ("POST", "/v1/responses/resp_b0/cancel"),
        ]
        seen.clear()
        body = b'{"model":"n", "input": "y",  "previous_response_id":"resp_b0"}'
        status, _ = await asked("POST", "/v1/responses", content=body)
        assert (status, seen) == (200, [("POST", "/v1/responses", body)])
        seen.clear()
        for method, more in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")):
            for id, who in (("resp_b0", BOB), (unkept["id"], ANN), ("resp_none", ANN)):
                status, told = await asked(method, f"/v1/responses/{id}{more}", who)
                assert (status, told["error"]["type"]) == (404, "invalid_request_error")
        for model, id, who in (("n", "resp_b0", BOB), ("m", "resp_b0", ANN), ("n", "resp_none", ANN)):
            goes_on = {"model": model, "input": "y", "previous_response_id": id}
            status, told = await asked("POST", "/v1/responses", who, json=goes_on)
            assert (status, told["error"]["param"]) == (400, "previous_response_id")
        assert seen == []
        assert (await asked("DELETE", path))[0] == 200
        assert (await asked("GET", path))[0] == 404
        await running.app.words.books.flush()
        spent = running.app.words.spent.sums  # what is read again was paid for once
        assert sum(number for key, number in spent.items() if key[3] == "written") == 2 * 4


async def test_an_open_servers_accounts_are_asked_for_what_nobody_noted(start: Start) -> None:
    seen: list[Any] = []
    async with (
        upstream(keeping(seen, "a")) as one,
        upstream(keeping(seen, "b", "resp_old")) as other,
        start(accounts={"one": account(one, weight=1e9), "other": account(other)}) as running,
    ):
        client = running.client
        found = await client.get("/v1/responses/resp_old")
        assert (found.status_code, found.headers["x-mutoscope-engine"]) == (200, "other")
        head = await client.head("/v1/responses/resp_old")
        assert (head.status_code, head.content) == (200, b"")
        missing = await client.get("/v1/responses/resp_none")
        assert (missing.status_code, missing.json()["error"]["message"]) == (404, "Not there.")
        seen.clear()
        assert (await client.get("/v1/responses/..%2Ffiles")).status_code == 404
        assert seen == []


async def test_what_the_author_wrote_is_its_owners_and_the_author_goes_on_from_it_after_a_restart(start: Start) -> None:
    async with upstream(keeping([], "a")) as url:
        only = account(url, models=["m"], open_models=False)
        async with start(keys=KEYS) as running:
            asked = {"model": "gpt-5.4", "input": "x"}
            first = (await running.client.post("/v1/responses", headers=ANN, json=asked)).json()
            for headers, status in ((ANN, 200), (BOB, 404)):
                read = await running.client.get(f"/v1/responses/{first['id']}", headers=headers)
                assert read.status_code == status
            item = {"type": "item_reference", "id": first["output"][0]["id"]}
            for headers, status in ((ANN, 200), (BOB, 400)):
                goes_on = await running.client.post(
                    "/v1/responses", headers=headers, json={"model": "m", "input": [item]}
                )
                assert goes_on.status_code == status
        async with start(keys=KEYS, accounts={"house": only}) as running:  # an account came later
            goes_on = {"model": "m", "input": "y", "previous_response_id": first["id"]}
            answer = await running.client.post("/v1/responses", headers=ANN, json=goes_on)
            assert (answer.status_code, answer.headers["x-mutoscope-engine"]) == (200, "script")


async def test_moderations_are_asked_of_an_account_that_has_the_model(start: Start) -> None:
    seen: list[Any] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append((request.path, await request.read()))
        return web.json_response({"id": "modr-1", "model": "x", "results": []})

    body = b'{"input":  "I will kill you"}'
    async with upstream(handler) as url:
        vendor, weights = account(url, open_models=None), account(url, models=["llama"], open_models=False)
        async with start(accounts={"house": vendor}) as running:
            answer = await running.client.post("/v1/moderations", content=body)
            assert (answer.json()["id"], seen) == ("modr-1", [("/v1/moderations", body)])
            assert answer.headers["x-mutoscope-engine"] == "house"
            listed = (await running.client.get("/v1/models")).json()["data"]
            assert "omni-moderation-latest" in {each["id"] for each in listed}
            assert not running.app.words.spent.sums  # vendors take nothing for it
        async with start(accounts={"house": weights}) as running:
            answer = await running.client.post("/v1/moderations", content=body)
            assert answer.headers["x-mutoscope-engine"] == "script"
            assert answer.json()["results"][0]["flagged"]


async def test_anthropics_errors_tell_the_requests_id(start: Start) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"message": "No.", "type": "server_error"}}, status=500)

    async with upstream(handler) as url, start(keys=KEYS, accounts={"house": account(url)}) as running:
        version = {"anthropic-version": "2023-06-01"}
        ask = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
        answers = [
            await running.client.post("/v1/messages", json=ask, headers=version),
            *[
                await running.client.request(method, path, json=sent, headers=version | ANN)
                for method, path, sent in (
                    *(("POST", "/v1/messages", {}), ("POST", "/v1/messages", ask), ("GET", "/v1/messages", None)),
                    *(("POST", "/anthropic/v1/nothing", {}), ("GET", "/v1/models/none", None)),
                )
            ],
        ]
    assert [each.status_code for each in answers] == [401, 400, 500, 405, 404, 404]
    for each in answers:
        assert each.json()["request_id"] == each.headers["request-id"] == f"req_{each.headers['x-request-id']}"
