"""How a server that speaks OpenAI's API is asked for pictures and videos: OpenAI, a mutoscope, one of open weights.

Only accounts that say `media = true` do so: most of this wire's are for words.
"""

from msgspec.structs import replace

from mutoscope.model.job import Json, Role, State, Update
from mutoscope.wirekit.answers import ask, multipart, parts_of
from mutoscope.wirekit.back import Back, Conversation, VendorRequest, Way
from mutoscope.wirekit.fields import AnyField, FileField, pixels, same, seconds
from mutoscope.wirekit.joined import joined_back
from mutoscope.wirekit.task import Reading, TaskApi, back, handle_of, id_in, news, task_in, translate
from mutoscope.wires.openai import media

INSIDE = (Way.DATA,)  # files go along in a form, which is what all of these take
DRAWN: dict[str, AnyField] = {"prompt": same("prompt"), "n": same("count"), "size": pixels("x")}
CHANGED: dict[str, AnyField] = DRAWN | {
    "image": FileField(role=Role.IMAGE, ways=INSIDE, limits=media.PICTURE, many=True),
    "mask": FileField(role=Role.MASK, ways=INSIDE, limits=media.PICTURE),
}
FILMED: dict[str, AnyField] = {
    "prompt": same("prompt"),
    "size": pixels("x"),
    "seconds": seconds(),
    "input_reference": FileField(role=Role.FIRST_FRAME, ways=INSIDE, limits=media.PICTURE),
}
GENERATIONS, EDITS, VIDEOS = (
    next(each for each in media.ENDPOINTS if each.at == at) for at in ("images/generations", "images/edits", "videos")
)


def media_back(api: TaskApi) -> Back:
    """Pictures come with the answer; a video is asked about, and fetched when it is there."""
    drawing = replace(
        api,
        show=None,
        stop=None,
        multipart=True,
        endpoints=(replace(GENERATIONS, fields=DRAWN), replace(EDITS, fields=CHANGED)),
        reading=Reading(links=("data.*.url",), inline=("data.*.b64_json",)),
    )
    filming = replace(
        api,
        show="videos/{id}",
        stop=None,
        endpoints=(replace(VIDEOS, fields=FILMED),),
        reading=Reading(links=("url",), progress="progress", reason=("error.message",)),
        also_states={"succeeded": State.SUCCEEDED, "processing": State.RUNNING},
    )

    def submit(order: VendorRequest) -> Conversation[Update]:
        path, body = translate(filming, order)
        request = ask("POST", filming.root + path, body, spends=True)
        key = {"idempotency-key": order.reference} if order.reference else {}
        form = multipart(request.path, [part for name, value in body.items() for part in parts_of(name, value)])
        headers = request.headers | form.headers | key
        task = task_in(filming, (yield replace(request, headers=headers, body=form.body)), order)
        handle = handle_of(filming, order, id_in(filming, filming.reading, task), path)
        return Update(state=State.QUEUED, upstream_status="queued", handle=handle)

    def poll(handle: Json) -> Conversation[Update]:
        task = task_in(filming, (yield ask("GET", f"{filming.root}videos/{handle['id']}")))
        if task.get("status") in ("completed", "succeeded") and not task.get("url"):
            content = f"{filming.root}videos/{handle['id']}/content"  # with the key, from the account itself
            return Update(state=State.SUCCEEDED, upstream_status=str(task["status"]), links=(content,))
        return news(filming, filming.reading, task)

    films = replace(back(filming), submit=submit, poll=poll)
    return joined_back({"pictures": back(drawing), "videos": films})
