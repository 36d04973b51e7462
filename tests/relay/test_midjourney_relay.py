"""Midjourney on a proxy of the operator's: a second mutoscope is the proxy."""

import base64
import json
from typing import Any

from mutoscope.model.job import Job, Operation, Sent, State
from mutoscope.wires.midjourney.api import WIRE

from fault_proxy import answer_lost  # isort: skip

Worlds = Any
IMAGINE, ACTION, MODAL = (f"/mj/submit/{each}" for each in ("imagine", "action", "modal"))


async def asked(it: Any, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await it.client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def shown(it: Any, said: dict[str, Any]) -> dict[str, Any]:
    job = await it.finished(WIRE.job_id(said["result"]))
    assert (job.engine, job.state) == ("midjourney", State.SUCCEEDED), job
    return (await it.client.get(f"/mj/task/{said['result']}/fetch")).json()


def press(shown: dict[str, Any], label: str) -> dict[str, Any]:
    customs = {each["label"] or each["emoji"]: each["customId"] for each in shown["buttons"]}
    return {"taskId": shown["id"], "customId": customs[label]}


async def theirs(it: Any) -> list[Job]:
    """What the proxy was asked for, the first first."""
    return list(reversed(await it.submissions()))


async def test_a_button_is_pressed_below_the_proxys_own_task(world: Worlds, picture: bytes) -> None:
    async with world("midjourney") as it:
        grid = await shown(it, await asked(it, IMAGINE, {"prompt": "a fox --seed 7", "state": "ours"}))
        assert (len(grid["imageUrls"]), grid["state"]) == (4, "ours")
        single = await shown(it, await asked(it, ACTION, press(grid, "U2")))
        assert single["action"] == "UPSCALE"
        first, second = await theirs(it)
        assert (first.generation.prompt, first.generation.seed) == ("a fox", 7)
        assert (second.generation.operation, second.parent) == (Operation.IMAGE_UPSCALE, first.id)
        assert second.generation.inputs[0].output == 1

        dialog = await asked(it, ACTION, press(single, "Vary (Region)"))
        assert (dialog["code"], len(await theirs(it))) == (21, 2)
        mask = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
        made = await asked(it, MODAL, {"taskId": dialog["result"], "prompt": "a hat", "maskBase64": mask})
        assert (await shown(it, made))["prompt"] == "a hat"
        last = (await theirs(it))[-1]
        assert (last.generation.operation, last.generation.prompt) == (Operation.IMAGE_INPAINT, "a hat")
        assert len(last.generation.inputs) == 2


async def test_a_lost_answer_is_found_by_the_state(world: Worlds) -> None:
    async with world("midjourney", account={"exclusive": True}) as it:
        it.proxy.on(f"POST {IMAGINE}", answer_lost)
        made = await asked(it, IMAGINE, {"prompt": "a fox", "state": "ours"})
        assert (await shown(it, made))["status"] == "SUCCESS"
        [theirs_alone] = await theirs(it)
        assert json.loads(theirs_alone.body)["state"] == WIRE.job_id(made["result"])
        [dispatch] = await it.app.store.dispatches(WIRE.job_id(made["result"]))
        assert dispatch.sent is Sent.ACCEPTED


async def test_a_refusal_there_is_told_here(world: Worlds) -> None:
    async with world("midjourney") as it:
        made = await asked(it, IMAGINE, {"prompt": "fail refused not today"})
        job = await it.finished(WIRE.job_id(made["result"]))
        assert job.state is State.FAILED and job.failure and "not today" in job.failure.message
