"""The same two routes as one would write them with FastAPI: validated, typed, and kept in a dict instead of on disk.

python _peer_fastapi.py PORT
"""

import sys
from typing import Annotated, Literal
from uuid import uuid4

import pydantic
import uvicorn
from fastapi import FastAPI, Header, HTTPException

Ratio = Literal["1920:1080", "1080:1920", "1024:1024", "1280:720", "720:1280", "720:720", "960:720", "720:960"]
Key = Annotated[str | None, Header(alias="x-freepik-api-key")]


class Body(pydantic.BaseModel):
    prompt: Annotated[str, pydantic.Field(min_length=1, max_length=1000)]
    ratio: Ratio
    seed: Annotated[int | None, pydantic.Field(ge=0, le=4294967295)] = None
    webhook_url: str | None = None


class Task(pydantic.BaseModel):
    task_id: str
    status: Literal["CREATED", "IN_PROGRESS", "COMPLETED", "FAILED"]
    generated: list[str] = []


class Answer(pydantic.BaseModel):
    data: Task


app = FastAPI()
tasks: dict[str, Task] = {}
wishes: dict[str, Body] = {}


@app.post("/v1/ai/text-to-image/runway")
async def create(body: Body, key: Key = None) -> Answer:  # noqa: ARG001 - read and dropped, as ours is on an open server
    task = Task(task_id=str(uuid4()), status="CREATED")
    tasks[task.task_id], wishes[task.task_id] = task, body
    return Answer(data=task)


@app.get("/v1/ai/text-to-image/runway/{task_id}")
async def read(task_id: str, key: Key = None) -> Answer:  # noqa: ARG001
    if task_id not in tasks:
        raise HTTPException(404)
    return Answer(data=tasks[task_id])


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, loop="uvloop", http="httptools")
