"""The task API as data: a POST makes a task, a GET reads it, a word says how it stands.

Most vendors' APIs are this and differ in names only. What is said here once is read both ways: `wire` makes the front
and the back of a `TaskApi`. What is odd about a vendor is a function in its own file, given in the place of the kit's:
every member whose type is a function has one, and `msgspec.structs.replace` changes the wire that comes out.
"""

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from functools import cache, cached_property, partial
from itertools import islice
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta, Struct, inspect
from msgspec.structs import replace

from mutoscope.model.http import Headers, HttpRequest, HttpResponse, json_response
from mutoscope.model.job import Failure, Generation, Input, Job, Json, MediaLimits, Operation, Role, State, Update
from mutoscope.model.problem import STATUS, Flaw, Kind, Problem, Rule, custom_flaw
from mutoscope.model.requests import Proof, Submission
from mutoscope.wirekit.answers import (
    LONGEST_REASON,
    LONGEST_WORD,
    ask,
    decoded,
    in_parts,
    is_link,
    news_of,
    number,
    plain_text,
    refusal,
    source_of,
)
from mutoscope.wirekit.back import Back, Conversation, File, Transport, VendorRequest, Way
from mutoscope.wirekit.body import (
    UNREADABLE,
    Path,
    bare,
    body_of,
    dotted,
    ignored_notes,
    invalid,
    needing,
    one_of,
    read_json,
    reread,
    schema,
    shape,
    simple,
    strange,
    walk,
    wholes,
    with_others,
)
from mutoscope.wirekit.fields import AnyField, Field, FileField, FilesField, JobField
from mutoscope.wirekit.flaws import plain
from mutoscope.wirekit.forms import arms, file_of
from mutoscope.wirekit.ids import from_uuid4_form, uuid4_form
from mutoscope.wirekit.media import LINK, BadSource, source
from mutoscope.wirekit.paths import at, chosen, has, located, put, types_at
from mutoscope.wirekit.routes import Create, Read, Route, Stop, last_parameter
from mutoscope.wirekit.wire import Wire

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:=-]{0,199}", re.ASCII)
"""What a vendor's id may look like: it becomes a part of a path, or of a query."""
PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,199}", re.ASCII)
"""What a model's name may look like that becomes a part of a path."""
PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?%", re.ASCII)
ROLE_NAMES = frozenset(role.value for role in Role)
INDEX = re.compile(r"\[\d+\]")
PLACE = re.compile(r"\{([^{}]+)\}")


class Endpoint(Struct, frozen=True, kw_only=True, dict=True):
    """A path at which tasks are made."""

    at: str  # below the root; "{id}" in it is the id of an earlier job
    title: str
    body: Any
    makes: Mapping[Role | None, Operation]  # by the input that decides it, the first that is there; None: none of these
    excludes: Mapping[Operation, frozenset[Role]] = {}  # inputs that cannot stand beside the one that decides it
    models: tuple[str, ...] = ()  # the vendor's words; the first where the caller names none. Empty: any word
    model_at: str | None = "model"  # dotted path in the body, or with braces a pattern of the path; None: nowhere
    parent: Role | None = None  # what the output of the job in the path is to this one
    fields: Mapping[str, AnyField] | None = None  # in the place of the API's
    exact: bool = False  # the body has all of those fields
    rules: Callable[[Json], Iterable[Flaw]] | None = None  # what is wrong between members
    needs: tuple[tuple[str, ...], ...] = ()  # groups of members, of each of which one is to be there
    example: Json = {}  # a body for the published description
    rules_see_all: bool = False  # the rules ask only what is there: members that break their type are shown to them too
    reshape: Callable[[Json], Json] | None = None  # other forms of the body that clients send → the one of `body`
    route: str = ""  # the job's `route`; "" for one that every read of the wire may see
    form: bool = False
    created: int | None = None  # status of the answer, where not that of the API
    wait: Callable[[Json, HttpRequest], float | None] | None = None  # seconds that the answer waits for the job's end
    family: str = ""  # put before the vendor's word, where the same word names another model at another path
    adds: float | None = None  # an extension's seconds are what is added: these where the caller names none
    waited: Callable[[Job, HttpRequest], HttpResponse] | None = None  # the answer then; None: that of any create
    task: Callable[[Job], Any] | None = None  # what is answered, where not as by the API's others
    answer: Any = None  # the type of that
    carries: Callable[[HttpRequest], str | None] | None = None  # see `Create`
    undated: Callable[[str], str] | None = None  # a model's name → the one in `models` of which it is a snapshot
    usual: Callable[[Json], str] | None = None  # the model where the caller names none; None: the first of `models`
    also: tuple[str, ...] = ()  # older or resellers' spellings of the path
    front: bool = True  # False: the API's own `routes` take its requests, as where one path is for many models
    says: Json = {}  # extras that the path itself says: an engine that does not know them does not make it
    shown: str = ""  # in `show`, what stands for `{at}`, where several endpoints' tasks are read at one path
    idle: tuple[str, ...] = ()  # members that mean nothing of ours, by dotted path: for the same vendor behind
    fixed: Json = {}  # members that the vendor wants and nobody asks for, by dotted path
    always: Json = {}  # fields of a Generation that its body has no member for: nothing else can be asked for
    flat: "Flat | None" = None  # of a body whose members stand in a list
    shared: Mapping[str, AnyField] = {}  # set by the API: its table, for a body without one of its own
    webhook: str | None = None  # the same: dotted path of the address for news

    # Worked out when the first request comes: there are hundreds of endpoints, and a start is not to wait for them.

    @cached_property
    def table(self) -> tuple[tuple[str, AnyField], ...]:
        """The rows that its body has."""
        fields = self.shared if self.fields is None else self.fields
        return tuple(pair for pair in fields.items() if self.exact or has(members_of(self), pair[0]))

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """The member of the body that each of them begins with."""
        return tuple(chosen(path.split(".")[0])[0] for path, _ in self.table)

    @cached_property
    def names(self) -> dict[str, str]:
        """Ours → theirs, where they differ."""
        named = [(path, names_of(field)) for path, field in self.table if has_callers_name(path, field)]
        found = {name: path for path, names in named for name in names if name != path}
        return found | ({"webhook": self.webhook} if self.webhook else {})


class Flat(Struct, frozen=True, kw_only=True):
    """A body whose members stand in a list, by what each of them is for: as an object that the table can speak of."""

    type: Any
    read: Callable[[Json], tuple[Json, Iterable[Flaw]]]  # a body that fits its type → the object, and what is wrong
    write: Callable[[Json], Json]


class Reading(Struct, frozen=True, kw_only=True):
    """Where a task says what, as dotted paths with `*` for the items of a list."""

    id: str = "id"  # "": a read does not say it again
    status: str = "status"  # "": it tells none, and waits
    links: tuple[str, ...] = ()  # the first that has any
    inline: tuple[str, ...] = ()  # base64 of files, where the answer carries them
    texts: tuple[str, ...] = ()
    reason: tuple[str, ...] = ("error",)
    progress: str | None = None
    whole: float = 100.0  # what the progress is a share of
    cost: str = ""  # "": it tells none
    units: float = 1.0  # what a credit is in the measure that the cost is told in


class TaskApi(Struct, frozen=True, kw_only=True):
    """One vendor's API. The members after `error_type` are what vendors differ in beyond their names."""

    name: str
    vendor: str  # as the catalog's rows and messages name it
    title: str
    docs: str
    base_url: str
    root: str
    endpoints: tuple[Endpoint, ...]
    fields: Mapping[str, AnyField]  # dotted path in a body → what it says
    states: Mapping[State, str]
    answer: Any  # the type of a task
    task: Callable[[Job], Any]  # what a read answers
    error_type: Any
    error: Callable[[Problem, int], Any] = lambda problem, _: {"message": problem.message}
    render_problem: Callable[[Problem, HttpRequest], HttpResponse] | None = (
        None  # in the place of the kit's and `error`
    )
    show: str | None = "{id}"  # the path of a read below the root; None: an answer comes at once
    show_status: int = 200
    show_keyless: bool = False  # a read needs no key: the id is enough
    at: str = "at"  # the name in a handle of the path that a task was made at; "": it is not needed
    created: int = 200  # status of a create's answer
    made: Callable[[Job], Any] | None = None  # what a create answers, where that is not the task
    made_type: Any = None
    made_reading: Reading | None = None  # of a create's answer, where it is not as that of a read
    reading: Reading = Reading()
    heard: Any = Any  # the type that an answer must fit to be read at all
    made_heard: Any = None  # the same of a create's answer, where it is another
    also_states: Mapping[str, State] = {}  # words that are read and never said
    code: str = ""  # path of the vendor's own code in an error
    codes: Mapping[Any, Kind] = {}  # what such a code means, whatever the status
    cost: Callable[[Json], float | None] | None = None  # credits that a task tells of
    lost: frozenset[str] = frozenset()  # words for a task that the vendor does not know, or not any more
    failure: Callable[[Json], Failure] | None = None  # why a task failed, where a code tells more than words
    fault: Callable[[Json], Problem | None] | None = None  # trouble told by a code in an answer of status 200
    reasons: tuple[str, ...] = ("detail", "message", "error.message", "error", "msg")  # where an error says why
    blamed: Callable[[Any], Iterable[tuple[str, str]]] | None = None  # (path of a member or "", why) in an error
    kinds: Mapping[int, Kind] = {}  # of error statuses read, where they mean something else than usual
    meant: Callable[[int, str], Kind | None] | None = None  # the same by a status and the words beside it
    statuses: Mapping[Kind, int] = {}  # of errors told
    invalid_status: int = 400
    word: Callable[[Flaw], str] = plain
    sorts_flaws: bool = True  # as the members are declared; else those of the schema come before those of the rules
    webhook: str | None = None  # path of the address for news
    webhook_body: Callable[[Job], Any] | None = None  # in the place of the task
    webhook_id: str = ""  # where that says which task it is, if not where an answer does
    webhook_headers: Callable[[Job, bytes], Headers] | None = None
    reference: str | None = None  # path of the caller's own name for a task
    events: Callable[[Json], frozenset[State] | None] | None = None  # the changes that news is wanted of
    stop: str | None = None  # "METHOD path" of a cancel below the root
    stops_running: bool = True
    stop_keeps: bool = False
    stop_status: int = 200
    gone_is_stopped: bool = False  # a task that the vendor does not know any more was stopped before
    ended_is_fine: bool = False
    sign: Callable[[str, float], Headers] = lambda key, _now: {"authorization": f"Bearer {key}"}
    credential: Callable[[HttpRequest], str | Proof | None] | None = None
    security: Json = msgspec.field(default_factory=lambda: {"type": "http", "scheme": "bearer"})
    mounts: tuple[str, ...] = ()
    optional: str = ""
    roots: tuple[str, ...] = ()  # beside `root`
    routes: tuple[Route, ...] = ()  # what else there is
    public_id: Callable[[str], str] = uuid4_form
    job_id: Callable[[str], str | None] = from_uuid4_form
    id_of: Callable[[HttpRequest], str] = last_parameter
    probes_inputs: bool = False
    parse: Callable[[Endpoint, HttpRequest], Submission] | None = None  # calls the kit's and adds to it
    source: Callable[[FileField, str, str], Input] | None = None  # (row, name, text) → the file; raises BadSource
    address: Callable[[str], str | None] | None = None  # what is wrong with an address for news
    uploads: Mapping[str, Callable[[str], str | None]] = {}  # scheme of the vendor's own uris → the id of our upload
    upload_of: Callable[[str], str | None] | None = None  # the same of a text in any form; None for any other text
    back: bool = True
    upload: Callable[[File], Conversation[str]] | None = None
    upload_limits: MediaLimits = MediaLimits()  # types and bytes that it takes
    find: Callable[[VendorRequest, float], Conversation[tuple[Json, ...]]] | None = None
    batch: Callable[[tuple[Json, ...]], Conversation[dict[int, Update]]] | None = None
    batch_key: Callable[[Json], str] | None = None
    calls: Callable[[Operation, tuple[str, ...]], tuple[Endpoint, str] | None] | None = None
    """Where an operation is asked for by one of a model's names, and by which: in the place of looking through
    `endpoints`, for a vendor with very many bodies."""
    headers: Callable[[VendorRequest], Headers] = lambda _: {}  # beside the key, what a create has to carry
    complaint: Callable[[HttpResponse], Problem] | None = None  # an error answer, read in the place of the kit
    unsent: frozenset[int] = frozenset({429, 503})
    final: frozenset[Kind] = frozenset()
    finds_by_reference: bool = False
    requests_per_second: float | None = None
    hosts: tuple[str, ...] = ()
    open_models: bool = False
    multipart: bool = (
        False  # a create with files in it goes as a form, which is the only way that the vendor takes them
    )

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "endpoints", tuple(tabled(self, each) for each in self.endpoints))


def tabled(api: TaskApi, endpoint: Endpoint) -> Endpoint:
    """With what its API has for all of them, and what it needs as a part of its body and its rules."""
    body, rules = endpoint.body, endpoint.rules
    if endpoint.needs:
        body, rules = needing(body, *endpoint.needs), one_of(*endpoint.needs, others=rules)
    if endpoint.example:
        body = Annotated[body, Meta(examples=[endpoint.example])]
    return replace(endpoint, body=body, rules=rules, needs=(), example={}, shared=api.fields, webhook=api.webhook)


def has_callers_name(path: str, field: AnyField) -> bool:
    """Whether a row has the caller's name of a field; of a file in a list the input itself knows it."""
    return not field.alias and not isinstance(field, FilesField) and not (isinstance(field, FileField) and "[" in path)


def members_of(endpoint: Endpoint) -> Any:
    """The type whose members the table speaks of."""
    return endpoint.flat.type if endpoint.flat else endpoint.body


def names_of(field: AnyField) -> tuple[str, ...]:
    if isinstance(field, Field | FilesField):
        return field.ours
    weights = (weights_of(field),) if isinstance(field, FileField) and field.weight else ()
    return (field.role.value, *weights)


def weights_of(field: FileField) -> str:
    """The name in `extra` of how much each file of a role counts."""
    return f"{field.role}_weights"


# -- the front ---------------------------------------------------------------------------------


def parse(api: TaskApi, endpoint: Endpoint, request: HttpRequest) -> Submission:
    """Raises Problem(INVALID) with every flaw of the body, Problem(NOT_FOUND) for a model that is not there."""
    body = reshaped(endpoint, request.body)
    said, flaws = read_all(body, endpoint.body)
    whole = said
    asked: Json = {}
    more: Json = dict(endpoint.says)
    inputs: list[Input] = []
    aliases: dict[str, str] = {}
    found: list[Flaw] = []
    wrong: Collection[Path] = ()
    broken: Sequence[Path] = ()
    if flaws:
        wrong, broken = {flaw.path[:1] for flaw in flaws}, [flaw.path for flaw in flaws]
    elif endpoint.flat:
        said, odd = endpoint.flat.read(said)
        flaws = tuple(odd)
    for (path, field), head in zip(endpoint.table, endpoint.heads, strict=True):
        value = said.get(head)
        if value is None or (head != path and (value := at(said, path)) is None):
            continue
        if field.alias:
            aliases |= {name: path for name in names_of(field) if name != path}
        if broken and not isinstance(field, FilesField) and is_broken(located(said, path), broken):
            continue
        match field:
            case Field():
                read = field.read(value)
                if "extra" in read:
                    more |= read.pop("extra")
                asked |= read
            case FilesField():
                for each in field.read(value):
                    match each:
                        case Input():
                            inputs.append(each)
                            aliases[each.role.value] = path
                        case Flaw():
                            found.append(each)
                        case _:
                            more |= each
            case JobField():
                inputs.append(Input(role=field.role, field=path, output_of=str(value), output=field.output(str(value))))
            case FileField():
                for place, text, each in texts_of(located(said, path), field, value):
                    try:
                        inputs.append(input_of(api, request, field, place, text))
                    except BadSource as error:
                        found.append(custom_flaw(each, str(error)))
                if field.weight and at(value, f"*.{field.weight}"):
                    more[weights_of(field)] = [at(each, field.weight) for each in value]
    address = at(said, api.webhook) if api.webhook else None
    if api.webhook and isinstance(address, str) and (fault := (api.address or address_fault)(address)):
        found.append(custom_flaw(tuple(api.webhook.split(".")), fault))
    judged = said
    if wrong and not endpoint.rules_see_all:
        judged = {name: value for name, value in said.items() if (name,) not in wrong}
    refused: Problem | None = None
    try:
        shown = endpoint.rules(judged) if endpoint.rules else ()
        found += [each for each in shown if endpoint.rules_see_all or each.path[:1] not in wrong]
    except Problem as problem:
        refused = problem
    if flaws or found:
        flaws = with_others(tuple(flaws), found)
        raise invalid(in_order(flaws, endpoint.body) if api.sorts_flaws else flaws)
    if refused:
        raise refused
    unread: tuple[Path, ...] = ()
    if not whole.keys() <= simple(endpoint.body):
        unread = tuple(islice(strange(whole, shape(endpoint.body), ()), MOST_UNREAD))
    passed: Json = {}
    for path in unread:
        if (value := at_path(said, path)) is not None:
            passed[".".join(map(str, path))] = value
    idle = {path: value for path in endpoint.idle if (value := at(said, path)) is not None} if endpoint.idle else {}
    parent = request.params.get("id") if endpoint.parent else None
    if endpoint.parent and parent:
        inputs.append(Input(role=endpoint.parent, field="id", output_of=parent))
    roles = {each.role for each in inputs} if inputs else ()
    operation = None
    for role, each in endpoint.makes.items():
        if role is None or role in roles:
            operation = each
            break
    if operation is None:
        deciding = {role.value for role in endpoint.makes if role}
        needed = " or ".join(path for path, each in endpoint.table if deciding.intersection(names_of(each)))
        raise invalid((custom_flaw((needed,), "is required"),))
    if endpoint.adds is not None and operation in GOES_ON:
        more["added_seconds"] = asked.pop("seconds", endpoint.adds)
    return Submission(
        generation=Generation(
            operation=operation, model=model_in(endpoint, said, request), inputs=tuple(inputs), extra=more, **asked
        ),
        webhook=address,
        fields=endpoint.names | aliases if aliases else endpoint.names,
        ignored=ignored_in(api, endpoint, unread, idle) if unread or idle else (),
        unread=passed | idle,
        wait=endpoint.wait(said, request) if endpoint.wait else None,
        parent=parent,
        events=api.events(said) if api.events else None,
    )


def ignored_in(api: TaskApi, endpoint: Endpoint, unread: tuple[Path, ...], idle: Json) -> tuple[str, ...]:
    """Notes for what only the vendor may heed."""
    notes = ignored_notes(unread, endpoint.route or api.vendor) if unread else ()
    return (*notes, *(f"ignored: {path} (only {api.vendor} itself heeds it)" for path in idle))


def address_fault(address: str) -> str | None:
    return None if LINK.fullmatch(address) else "should be an HTTP(S) URL"


def reshaped(endpoint: Endpoint, body: bytes) -> bytes:
    """The body in the form of its type. Raises Problem where it is no JSON."""
    if endpoint.reshape is None or not isinstance(said := read_json(body), dict):
        return body
    return msgspec.json.encode(endpoint.reshape(cast("Json", said)))


GOES_ON = frozenset({Operation.VIDEO_EXTENSION, Operation.MUSIC_EXTENSION})
MOST_UNREAD = 50  # members that no table knows and that are passed on


def at_path(said: Json, path: tuple[str | int, ...]) -> Any:
    """The value of a member that lies in objects only; what is inside a list has no place of its own."""
    value: Any = said
    for step in path:
        value = cast("Json", value).get(str(step)) if isinstance(value, dict) else None
    return value


def read_all(body: bytes, type: Any) -> tuple[Json, tuple[Flaw, ...]]:
    """The body as plain values, and what is wrong with it. Raises Problem where there is no object to read."""
    said = read_json(body)
    try:
        msgspec.convert(said, bare(type))
        return said, ()
    except msgspec.ValidationError:
        flaws = tuple(walk(said, schema(type), ()))
    if any(not flaw.path for flaw in flaws):
        raise invalid(flaws)
    if not flaws:
        reread(said := wholes(said), type)
    return said, flaws


def is_broken(path: Path, broken: Iterable[Path]) -> bool:
    """Whether a member breaks its type, or something in it does, or what holds it."""
    return any(path[: len(each)] == each[: len(path)] for each in broken)


def texts_of(steps: Path, field: FileField, value: Any) -> Iterable[tuple[str, str, Path]]:
    """(name, text, path of flaws) of each file in a member."""
    for index, item in enumerate(cast("list[Any]", value) if isinstance(value, list) else [value]):
        text = at(item, field.item) if field.item and isinstance(item, dict) else item
        place = (*steps, index) if isinstance(value, list) else steps
        if isinstance(text, str):
            yield dotted(place), text, (*place, *(field.item.split(".") if field.item else ()))


def input_of(api: TaskApi, request: HttpRequest, field: FileField, name: str, text: str) -> Input:
    """The file that a text names. Raises BadSource."""
    if file := file_of(request, text):
        return Input(role=field.role, field=name, file=str(file.path), limits=field.limits)
    if api.upload_of and (id := api.upload_of(text)):
        return Input(role=field.role, field=name, upload=id, limits=field.limits)
    for scheme, upload_id in api.uploads.items():
        if text.startswith(scheme):
            id = upload_id(text)
            if id is None:
                raise BadSource(f"{text[:100]} names no upload")
            return Input(role=field.role, field=name, upload=id, limits=field.limits)
    if api.source:
        return api.source(field, name, text)
    if Way.DATA not in field.ways and text[:5].lower() == "data:":
        raise BadSource("should be an HTTP(S) URL; files are not taken inline here")
    return source(text, role=field.role, field=name, limits=field.limits, bare_base64=field.bare)


def model_in(endpoint: Endpoint, said: Json, request: HttpRequest) -> str:
    """The vendor's word for the model: the catalog knows what it stands for."""
    match endpoint.model_at:
        case None:
            return endpoint.family + endpoint.models[0]
        case str() as pattern if "{" in pattern:
            word = PLACE.sub(lambda match: request.params[match[1]], pattern)
        case member:
            word = at(said, member)
            if word is None:
                word = endpoint.usual(said) if endpoint.usual else next(iter(endpoint.models), "")
            word = str(word)
    if endpoint.models and word not in endpoint.models:
        right = ", ".join(endpoint.models)
        raise Problem(Kind.NOT_FOUND, f"There is no model {word!r} here; there are {right}.", field=endpoint.model_at)
    return endpoint.family + word


def in_order(flaws: tuple[Flaw, ...], body: Any) -> tuple[Flaw, ...]:
    """As the members are declared, which is the order in which a validator meets them."""
    declared = [name for arm in structs(body) for name in arm]
    rank = {name: number for number, name in enumerate(dict.fromkeys(declared))}
    return tuple(sorted(flaws, key=lambda flaw: rank.get(str(flaw.path[0]), len(rank)) if flaw.path else -1))


@cache
def structs(body: Any) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(field.encode_name for field in getattr(each, "fields", ())) for each in arms(schema(body)))


def render_problem(api: TaskApi, problem: Problem, _request: HttpRequest) -> HttpResponse:
    status = (STATUS | {Kind.INVALID: api.invalid_status} | dict(api.statuses))[problem.kind]
    if problem.flaws and problem.kind is Kind.INVALID:
        told = "; ".join(f"{dotted(flaw.path)}: {api.word(flaw)}".removeprefix(": ") for flaw in problem.flaws)
        problem = Problem(problem.kind, told, field=problem.field, retry_after=problem.retry_after, flaws=problem.flaws)
    elif problem.field and problem.field not in problem.message and problem.kind in OF_A_FIELD:
        message = f"{problem.field}: {problem.message}"
        problem = Problem(problem.kind, message, field=problem.field, retry_after=problem.retry_after)
    headers = {} if problem.retry_after is None else {"retry-after": str(max(math.ceil(problem.retry_after), 0))}
    return json_response(api.error(problem, status), status, headers)


OF_A_FIELD = frozenset({Kind.INVALID, Kind.UNSUPPORTED, Kind.BAD_MEDIA, Kind.UNREACHABLE_MEDIA})


def bearer(request: HttpRequest, schemes: Collection[str] = ("bearer",)) -> str | None:
    """The key of the header `Authorization: Bearer KEY`, or after another of the schemes."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() or None if scheme.lower() in schemes else None


def key_header(name: str) -> Json:
    """What an API says of a key that stands in a header of its own; a bearer is taken too."""

    def credential(request: HttpRequest) -> str | None:
        return request.headers.get(name.lower(), "").strip() or bearer(request)

    own = {"type": "apiKey", "in": "header", "name": name}
    return {"credential": credential, "security": {"key": own, "bearer": {"type": "http", "scheme": "bearer"}}}


def bare_or_bearer(request: HttpRequest) -> str | None:
    """The same, or the key as it is, as samples of resellers' pages send it."""
    text = request.headers.get("authorization", "").strip()
    bare = text if " " not in text and text.lower() not in SCHEMES else ""
    return bearer(request) or bare or None


SCHEMES = ("bearer", "basic", "digest", "negotiate", "token")


# -- the back ----------------------------------------------------------------------------------


def endpoint_for(api: TaskApi, operation: Operation, names: tuple[str, ...]) -> tuple[Endpoint, str] | None:
    """Where an operation is asked for by one of a model's names, and by which."""
    if api.calls:
        return api.calls(operation, names)
    for endpoint in api.endpoints:
        if operation in endpoint.makes.values():
            for name in names:
                if knows(endpoint, name):
                    return endpoint, name.removeprefix(endpoint.family)
    return None


def knows(endpoint: Endpoint, name: str) -> bool:
    """Whether an endpoint takes a model of this name: by its list, and by what its body says of the member."""
    if not name.startswith(endpoint.family):
        return False
    name = name.removeprefix(endpoint.family)
    if endpoint.models:
        return (endpoint.undated(name) if endpoint.undated else name) in endpoint.models
    if endpoint.model_at and "{" in endpoint.model_at:
        return PART.fullmatch(name) is not None
    types = types_at(members_of(endpoint), endpoint.model_at) if endpoint.model_at else []
    closed = [each for each in types if isinstance(each, inspect.LiteralType)]
    patterns = [each.pattern for each in types if isinstance(each, inspect.StrType) and each.pattern]
    if closed:
        return any(name in each.values for each in closed)
    return all(re.search(pattern, name) for pattern in patterns)


def supports(api: TaskApi, operation: Operation, names: tuple[str, ...]) -> frozenset[str] | None:
    """What of a generation can be said; None: this is not made here."""
    found = endpoint_for(api, operation, names)
    if found is None:
        return None
    endpoint, _ = found
    others = {role.value for role in unsaid(endpoint, operation)}
    said = {name for _, field in endpoint.table for name in names_of(field)} | {*endpoint.says, *endpoint.always}
    if endpoint.parent:
        said.add(endpoint.parent.value)
    if endpoint.adds is not None:
        said.add("added_seconds")
    return frozenset(said - others)


def unsaid(endpoint: Endpoint, operation: Operation) -> set[Role]:
    """The inputs that would make it another operation: what comes before decides; what comes after may be there too,
    unless it is excluded."""
    before = list(endpoint.makes.values()).index(operation)
    return {role for role in list(endpoint.makes)[:before] if role} | endpoint.excludes.get(operation, frozenset())


def ways(api: TaskApi, order: VendorRequest, wanted: Input) -> tuple[Transport, ...]:
    found = endpoint_for(api, order.generation.operation, order.names)
    if found is None or wanted.role in unsaid(found[0], order.generation.operation):
        return ()
    field = next((each for _, each in found[0].table if isinstance(each, FileField) and each.role is wanted.role), None)
    if field is None:
        return ()
    most, limits = field.limits.max_bytes if field.limits else None, api.upload_limits
    least = min(filter(None, (most, limits.max_bytes)), default=None)
    fits = wanted.media_type is None or not limits.types or wanted.media_type in limits.types
    return tuple(
        Transport(way, least if way is Way.UPLOAD else most) for way in field.ways if way is not Way.UPLOAD or fits
    )


def translate(api: TaskApi, order: VendorRequest) -> tuple[str, Json]:
    """The path below the root and the body that say an order. Raises Problem for what the vendor does not allow."""
    wish = order.generation
    found = endpoint_for(api, wish.operation, order.names)
    if found is None:
        names = ", ".join(order.names) or "no model"
        raise Problem(Kind.UNSUPPORTED, f"{api.vendor} has no {wish.operation} by {names}.", field="model")
    endpoint, name = found
    deciding = [role for role, each in endpoint.makes.items() if role and each is wish.operation]
    if endpoint.makes.get(None) is not wish.operation and not any(map(wish.input, deciding)):
        needed = " or ".join(deciding)
        raise Problem(Kind.INVALID, f"{api.vendor} needs a {needed} for this.", field=deciding[0].value)
    body: Json = {}
    for path, value in endpoint.fixed.items():
        put(body, path, deepcopy(value))  # what is put into an object later is not the next body's
    path_of = endpoint.at
    match endpoint.model_at:
        case str() as pattern if "{" in pattern:
            path_of = path_of.replace(pattern, name)
        case str() as member if has(members_of(endpoint), member):
            put(body, member, name)
        case _:
            pass
    check_added(api, endpoint, wish)
    check_said(api, endpoint, wish)
    check_always(api, endpoint, name, wish)
    check_places(api, endpoint, name, wish)
    idle = unsaid(endpoint, wish.operation) if endpoint.excludes else ()
    for path, field in endpoint.table:
        match field:
            case _ if field.alias:
                continue
            case FileField() if field.role in idle:
                continue
            case Field():
                if (value := field.write(wish)) is not None:
                    put(body, path, value)
            case FileField():
                write_files(api, endpoint, order, body, path, field)
            case FilesField():
                if (value := field.write(order)) is not None:
                    put(body, path, value)
            case JobField():
                write_jobs(api, endpoint, order, body, path, field)
    if endpoint.parent:
        path_of = path_of.replace("{id}", earlier_id(api, order, wish.input(endpoint.parent), endpoint.parent))
    if wish.wire == api.name:
        for path, value in wish.unread.items():
            put(body, path, value)
    flaws = [*walk(body, schema(members_of(endpoint)), ()), *(endpoint.rules(body) if endpoint.rules else ())]
    if flaws:
        named = [
            (ours, in_their_measure(body, flaw, getattr(wish, ours, None)) + api.word(flaw))
            for flaw in flaws
            for ours in (our_name(endpoint.table, dotted(flaw.path), wish) or path_in(flaw) or "model",)
        ]
        told = "; ".join(f"{ours}: {why.removeprefix(f'{ours}: ')}" for ours, why in named)
        raise Problem(Kind.INVALID, f"{api.vendor} ({name}) does not take this: {told}.", field=named[0][0])
    if api.webhook and order.callback and has(endpoint.body, api.webhook):
        put(body, api.webhook, order.callback)
    if api.reference and order.reference and has(endpoint.body, api.reference):
        put(body, api.reference, order.reference)
    return path_of, endpoint.flat.write(body) if endpoint.flat else body


def in_their_measure(body: Json, flaw: Flaw, asked: Any) -> str:
    """What a figure of ours becomes, before its bound is told: seconds may be said in frames."""
    path = dotted(flaw.path)
    said = at(body, path)
    if flaw.rule not in (Rule.MINIMUM, Rule.MAXIMUM) or not isinstance(asked, int | float) or said in (None, asked):
        return ""
    return f"{asked:g} is {path.rpartition('.')[2]} = {said:g}, which "


def check_added(api: TaskApi, endpoint: Endpoint, wish: Generation) -> None:
    """Raises Problem where an extension should add what its body cannot say."""
    added = wish.extra.get("added_seconds")
    told = any("added_seconds" in names_of(field) for _, field in endpoint.table)
    if added not in (None, endpoint.adds) and not told:
        message = f"{api.vendor} adds {endpoint.adds:g} seconds, no more and no less."
        raise Problem(Kind.INVALID, message, field="added_seconds")


def check_said(api: TaskApi, endpoint: Endpoint, wish: Generation) -> None:
    """Raises Problem where something else was asked for than the path says, as where a mask would be taken for its
    reverse: one whose polarity is not said shows the change in white or by what is transparent."""
    for name, theirs in endpoint.says.items():
        mask = wish.input(Role.MASK) if name == "mask_polarity" else None
        usual = "white" if mask else theirs
        if (ours := wish.extra.get(name, usual)) != theirs:
            message = f"{api.vendor} makes this with the {name.replace('_', ' ')} {theirs!r} only; here it is {ours!r}."
            raise Problem(Kind.UNSUPPORTED, message, field=mask.role.value if mask else name)


def check_always(api: TaskApi, endpoint: Endpoint, name: str, wish: Generation) -> None:
    """Raises Problem where something else was asked for than what is always so."""
    for field, usual in endpoint.always.items():
        if (asked := getattr(wish, field)) not in (None, usual):
            message = f"{api.vendor} ({name}) has no way to ask for a {field} of {asked!r}."
            raise Problem(Kind.UNSUPPORTED, message, field=field)


def check_places(api: TaskApi, endpoint: Endpoint, name: str, wish: Generation) -> None:
    """Raises Problem for a file that has no place in the body, and for a value that is named as a file is."""
    plain = {ours for _, field in endpoint.table if isinstance(field, Field) for ours in field.ours}
    files = [field for _, field in endpoint.table if not isinstance(field, Field)]
    places = {ours for field in files for ours in names_of(field)} | {endpoint.parent}
    for each in wish.inputs:
        if each.role not in places:
            message = f"{api.vendor} ({name}) has no place for a {each.role.value.replace('_', ' ')}."
            raise Problem(Kind.UNSUPPORTED, message, field=each.role.value)
    for each in ROLE_NAMES.intersection(wish.extra, places) - plain:
        raise Problem(Kind.UNSUPPORTED, f"{api.vendor} ({name}) takes a file as {each}, no value.", field=each)


def write_files(
    api: TaskApi, endpoint: Endpoint, order: VendorRequest, body: Json, path: str, field: FileField
) -> None:
    """Where several members are for files of one role, each takes the next."""
    given = [each for each in order.generation.inputs if each.role is field.role and not by_id(order, each, body, path)]
    if not given:
        return
    said = [source_of(order, each.field) for each in given]
    if field.bare:
        said = [text.partition(";base64,")[2] if text.startswith("data:") else text for text in said]
    values = [field.written(text) if field.written else text for text in said]
    if field.many:
        weights = order.generation.extra.get(weights_of(field)) or () if field.weight else ()
        counts = [{} if each is None else {field.weight: each} for each in weights] + [{}] * len(values)
        items = [whole(value, field) | count for value, count in zip(values, counts, strict=False)]
        put(body, path, items if field.item else values)
        return
    places = [name for name, each in endpoint.table if same_role(each, field)]
    if len(given) > len(places):
        most = "one" if len(places) == 1 else str(len(places))
        message = f"{api.vendor} takes {most} {field.role}; {len(given)} were given."
        raise Problem(Kind.INVALID, message, field=field.role.value)
    if (place := places.index(path)) < len(values):
        put(body, path, values[place])
        beside(body, path, field.beside)


def whole(value: Any, field: FileField) -> Json:
    """An item of a list of objects; some sources are said as one."""
    return cast("Json", value) if isinstance(value, dict) else {field.item: value}


def same_role(each: AnyField, field: FileField) -> bool:
    return isinstance(each, FileField) and each.role is field.role and not each.many and not each.alias


def by_id(order: VendorRequest, each: Input, body: Json, path: str) -> bool:
    """Whether an input is said by the id of the job that made it, in another member of the same object."""
    return (
        each.output_of is not None and each.output_of in order.earlier and at(body, path.rpartition(".")[0]) is not None
    )


def write_jobs(api: TaskApi, endpoint: Endpoint, order: VendorRequest, body: Json, path: str, field: JobField) -> None:
    as_file = any(isinstance(each, FileField) and each.role is field.role for _, each in endpoint.table)
    for each in order.generation.inputs:
        if each.role is field.role and (each.output_of in order.earlier or not as_file):
            put(body, path, earlier_id(api, order, each, field.role))
            beside(body, path, field.beside)


def earlier_id(api: TaskApi, order: VendorRequest, each: Input | None, role: Role) -> str:
    handle = order.earlier.get(each.output_of or "") if each else None
    if handle is None:
        message = f"{api.vendor} goes on from its own tasks only, and this {role} was not made with this account."
        raise Problem(Kind.UNSUPPORTED, message, field=role.value)
    return str(handle["id"])


def beside(body: Json, path: str, more: Json) -> None:
    for name, value in more.items():
        put(body, f"{path.rpartition('.')[0]}.{name}".lstrip("."), value)


def path_in(flaw: Flaw) -> str:
    return ".".join(step for step in flaw.path if isinstance(step, str))


def our_name(table: Iterable[tuple[str, AnyField]], path: str, wish: Generation | None) -> str | None:
    """What we call the member at a path, or what it belongs to: of several names the one that was asked for."""
    place, path = path, INDEX.sub("", path)
    for each, field in sorted(table, key=lambda row: -len(row[0])):  # the innermost
        if path == each or path.startswith(f"{each}.") or each.startswith(f"{path}."):
            if isinstance(field, FilesField) and wish:
                return field.named(wish, place)
            names = names_of(field)
            return next((name for name in names if getattr(wish, name, None) is not None), names[0])
    return None


def check(api: TaskApi, order: VendorRequest) -> None:
    translate(api, order)


def submit(api: TaskApi, order: VendorRequest) -> Conversation[Update]:
    path, body = translate(api, order)
    request = ask("POST", api.root + path, body, spends=True)
    # vendors that know no such thing ignore it; another mutoscope knows by it what came before
    key = {"idempotency-key": order.reference} if order.reference else {}
    request = replace(request, headers=request.headers | key | api.headers(order))
    task = task_in(api, (yield in_parts(request) if api.multipart else request), order)
    reading = api.made_reading or api.reading
    if api.show is None:
        return replace(news(api, reading, task), handle={"id": order.reference or "-"})
    id = id_in(api, reading, task)
    try:
        update = news(api, reading, task)
    except Problem:
        # It exists and costs money, whatever its status says: its handle must not be lost. The next poll asks again.
        update = Update(state=State.QUEUED, upstream_status=plain_text(str(at(task, reading.status) or ""), 100))
    if update.state.final and not (reading.links or reading.reason):  # a read tells what came of it
        update = Update(state=State.QUEUED, upstream_status=update.upstream_status)
    return replace(update, handle=handle_of(api, order, id, path))


def handle_of(api: TaskApi, order: VendorRequest, id: str, path: str) -> Json:
    """What names a task, with the path of its reads where each model has its own."""
    if not api.at:
        return {"id": id}
    found = endpoint_for(api, order.generation.operation, order.names)
    return {"id": id, api.at: (found[0].shown if found else "") or path}


def poll(api: TaskApi, handle: Json) -> Conversation[Update]:
    task = task_in(api, (yield read_request(api, handle)))
    id = at(task, api.reading.id) if api.reading.id else handle["id"]
    if id is not None and str(id).lower() != str(handle["id"]).lower():
        message = (
            f"{api.vendor} answered with another task: {plain_text(str(id), LONGEST_WORD)} instead of {handle['id']}."
        )
        raise Problem(Kind.UPSTREAM_FAILED, message)
    if id is None:
        raise Problem(Kind.UPSTREAM_FAILED, f"{api.vendor} sent an answer without an id at {api.reading.id}.")
    return news(api, api.reading, task)


def read_request(api: TaskApi, handle: Json) -> HttpRequest:
    path, _, query = (api.show or "").replace("{at}", str(handle.get(api.at, ""))).partition("?")
    asked = {name: handle["id"] for name, _, _ in (each.partition("=") for each in query.split("&") if each)}
    return ask("GET", api.root + path.replace("{id}", str(handle["id"])), **asked)


def cancel(api: TaskApi, handle: Json) -> Conversation[bool]:
    method, path = (api.stop or "").split(" ", 1)
    response = yield ask(method, api.root + path.replace("{id}", str(handle["id"])))
    if response.status == 404 and api.gone_is_stopped:
        return True
    if not 200 <= response.status < 300:
        raise complaint(api, response)
    return True


def task_in(api: TaskApi, response: HttpResponse, order: VendorRequest | None = None) -> Json:
    """The JSON of an answer of a create or a read. Raises Problem for a refusal, and for what cannot be read."""
    if not 200 <= response.status < 300:
        raise complaint(api, response, order)
    try:
        task = decoded(response.body, dict[str, Any])
    except (msgspec.ValidationError, *UNREADABLE) as error:
        raise unread(api, error) from error
    if api.fault and (problem := api.fault(task)):
        raise problem
    try:
        msgspec.convert(task, api.made_heard if order and api.made_heard else api.heard)
    except msgspec.ValidationError as error:
        raise unread(api, error) from error
    return task


def unread(api: TaskApi, error: Exception) -> Problem:
    return Problem(Kind.UPSTREAM_FAILED, f"{api.vendor} sent an answer that cannot be read: {plain_text(str(error))}")


def id_in(api: TaskApi, reading: Reading, task: Json) -> str:
    id = at(task, reading.id)
    if not isinstance(id, str | int) or isinstance(id, bool) or not ID.fullmatch(str(id)):
        raise Problem(Kind.UPSTREAM_FAILED, f"{api.vendor} sent an answer without an id at {reading.id}.")
    return str(id)


def news(api: TaskApi, reading: Reading, task: Json) -> Update:
    """What a task tells, in bounds. Raises Problem for an undocumented status, and for success without a result."""
    status = at(task, reading.status)
    words = {word: state for state, word in reversed(list(api.states.items()))} | dict(api.also_states)
    if api.show is None:
        status, state = "", State.SUCCEEDED
    elif not reading.status:
        status, state = api.states[State.QUEUED], State.QUEUED
    elif isinstance(status, str) and status in api.lost:
        # at first it is not known everywhere, later not any more: whoever asks has a clock and can tell
        raise Problem(Kind.NOT_FOUND, f"{api.vendor} does not know the task, or not any more.")
    elif not isinstance(status, str) or status not in words:
        told, known = plain_text(str(status), 100), ", ".join(words)
        message = f"{api.vendor} reports the status {told!r}, which it does not document; it documents {known}."
        raise Problem(Kind.UPSTREAM_FAILED, message)
    else:
        state = words[status]
        shared = status == api.states.get(State.QUEUED) == api.states.get(State.RUNNING)
        if shared and reading.progress and at(task, reading.progress) is not None:
            state = State.RUNNING  # one word is for what waits and for what runs; progress tells which
    done = state is State.SUCCEEDED
    links, texts = first_of(reading.links, task), first_of(reading.texts, task)
    if links == texts:  # one place for either
        links, texts = (links, []) if all(map(is_link, links)) else ([], texts)
    return news_of(
        vendor=api.vendor,
        state=state,
        status=status,
        progress=share_of(at(task, reading.progress), reading.whole) if reading.progress else None,
        links=links if done else (),
        inline=first_of(reading.inline, task) if done else (),
        texts=texts if done else (),
        failure=failure_in(api, reading, task) if state is State.FAILED else None,
        cost=api.cost(task) if api.cost else in_credits(at(task, reading.cost), reading.units),
    )


def in_credits(told: Any, units: float) -> Any:
    """A figure that cannot be stays as it is, to be told of."""
    return told if number(told, 0.0, math.inf) is None else told / units


def share_of(told: Any, whole: float) -> float | None:
    """A figure, or of a hundred a text such as "30%", as a share of the whole."""
    if isinstance(told, str) and whole == 100 and PERCENT.fullmatch(told):
        told = float(told[:-1])
    share = number(told, 0.0, whole, clamped=True)
    return None if share is None else share / whole


def first_of(paths: tuple[str, ...], task: Json) -> list[Any]:
    """What stands at the first of several places that has anything."""
    for path in paths:
        found = at(task, path)
        listed = [each for each in (cast("list[Any]", found) if isinstance(found, list) else [found]) if each]
        if listed:
            return listed
    return []


def failure_in(api: TaskApi, reading: Reading, task: Json) -> Failure:
    if api.failure:
        return api.failure(task)
    told = (at(task, path) for path in reading.reason)
    why = next((plain_text(each.strip()) for each in told if isinstance(each, str) and each.strip()), "")
    message = (
        f"{api.vendor} could not make it: {why}" if why else f"{api.vendor} could not make it and gives no reason."
    )
    return Failure(kind=Kind.UPSTREAM_FAILED, message=message)


def complaint(api: TaskApi, response: HttpResponse, order: VendorRequest | None = None) -> Problem:
    """An error answer: the status decides the kind, the vendor's text is its message, and the first of the members that
    it blames and we know is the problem's field."""
    if api.complaint:
        return api.complaint(response)
    try:
        said = msgspec.json.decode(response.body)
    except UNREADABLE:
        said = None
    texts = (at(said, path) for path in api.reasons)
    why = next((text for text in map(text_of, texts) if text), "")
    if said is None and response.media_type.startswith("text/plain"):
        why = response.body[:LONGEST_REASON].decode("utf-8", "replace").strip()
    blamed = tuple(api.blamed(said)) if api.blamed else ()
    why = "; ".join(filter(None, (why, *(f"{path}: {text}" if path else text for path, text in blamed))))
    meant = api.codes.get(code) if isinstance(code := at(said, api.code) if api.code else None, int | str) else None
    meant = meant or (api.meant(response.status, why) if api.meant else None)
    problem = refusal(response, why, vendor=api.vendor, kinds={response.status: meant} if meant else dict(api.kinds))
    wish = order.generation if order else None
    made = endpoint_for(api, wish.operation, order.names) if order and wish else None
    table = (*(made[0].table if made else ()), *api.fields.items())
    problem.field = next((ours for path, _ in blamed if path and (ours := our_name(table, path, wish))), None)
    return problem


def text_of(told: Any) -> str:
    """The words of an error, which some vendors give as a list of findings."""
    match told:
        case str():
            return told.strip()
        case list():
            parts = [finding(each) for each in cast("list[Any]", told)]
            return "; ".join(filter(None, parts))
        case _:
            return ""


def finding(each: Any) -> str:
    """One finding of FastAPI's list: where, and what."""
    if not isinstance(each, dict):
        return str(each)
    found = cast("Json", each)
    where = [str(step) for step in found.get("loc") or () if step != "body"]
    why = found.get("msg") or found.get("message") or found.get("description") or ""
    return f"{'.'.join(where)}: {why}" if where else str(why)


def read_callback(api: TaskApi, order: VendorRequest, request: HttpRequest) -> Json | None:
    """The body is a task: its id, and the path that the order goes to."""
    try:
        task = msgspec.json.decode(request.body, type=dict[str, Any])
        bare = api.webhook_id and at(task, api.webhook_id) is not None  # or in the envelope of an answer
        reading = replace(api.reading, id=api.webhook_id) if bare else api.reading
        return handle_of(api, order, id_in(api, reading, task), translate(api, order)[0])
    except (Problem, msgspec.ValidationError, *UNREADABLE):
        return None


def in_callers_words(
    endpoint: Endpoint, waited: Callable[[Job, HttpRequest], HttpResponse], job: Job, request: HttpRequest
) -> HttpResponse:
    """The answer to who waited. Raises Problem for what was not made, with the caller's name of the field, as a create
    that is refused at once has it."""
    try:
        return waited(job, request)
    except Problem as problem:
        problem.field = endpoint.names.get(problem.field or "", problem.field)
        raise


# -- both --------------------------------------------------------------------------------------


def wire(api: TaskApi) -> Wire:
    """The front and the back of an API."""
    tell = api.webhook_body or api.task

    def render(job: Job, _request: HttpRequest) -> HttpResponse:
        return json_response(api.task(job), api.show_status)

    def made(endpoint: Endpoint, job: Job, _request: HttpRequest) -> HttpResponse:
        return json_response((endpoint.task or api.made or api.task)(job), endpoint.created or api.created)

    def named(job: Job, name: str) -> bool:
        return at(body_of(job), api.reference or "") == name

    creates = tuple(
        Create(
            at=f"POST {api.root}{path}",
            route=each.route,
            parse=partial(api.parse or partial(parse, api), each),
            render=partial(made, each),
            body=each.body,
            answer=each.answer or api.made_type or api.answer,
            status=each.created or api.created,
            summary=each.title if path == each.at else f"{each.title} (another spelling)",
            form=each.form,
            waited=partial(in_callers_words, each, each.waited) if each.waited else None,
            carries=each.carries,
            hangs=each.parent is not None,
        )
        for each in api.endpoints
        if each.front
        for path in (each.at, *each.also)
    )
    tasks: list[Route] = []
    if api.show is not None:
        path, _, asked = api.show.partition("?")
        query = msgspec.defstruct(f"{api.name.title()}Query", [(asked.partition("=")[0], str)]) if asked else None
        below = (
            {at: each for each in api.endpoints for at in (each.at, each.shown) if at} if "{at}" in path else {"": None}
        )
        tasks += [
            Read(at=f"GET {api.root}{path.replace('{at}', at)}", id=api.id_of, route=each.route if each else "",
                 render=render, named=named if api.reference else None, answer=api.answer, status=api.show_status,
                 keyless=api.show_keyless, query=query, summary=f"{each.title}: read a task" if each else "Read a task")
            for at, each in below.items()
        ]  # fmt: skip
    if api.stop:
        method, path = api.stop.split(" ", 1)
        gone = api.stop_status == 204
        tasks.append(
            Stop(
                at=f"{method} {api.root}{path}",
                id=api.id_of,
                running=api.stops_running,
                keeps=api.stop_keeps,
                ended_is_fine=api.ended_is_fine,
                render=(lambda _job, _request: HttpResponse(status=204)) if gone else render,
                answer=None if gone else api.answer,
                status=api.stop_status,
                summary="Cancel a task" if api.stop_keeps else "Cancel or delete a task",
            )
        )
    return Wire(
        name=api.name,
        title=api.title,
        docs=api.docs,
        roots=(api.root, *api.roots),
        routes=(*creates, *tasks, *api.routes),
        render_problem=api.render_problem or partial(render_problem, api),
        credential=api.credential or bearer,
        public_id=api.public_id,
        job_id=api.job_id,
        render_webhook=lambda job: None if job.state is State.QUEUED else msgspec.json.encode(tell(job)),
        webhook_headers=api.webhook_headers,
        probes_inputs=api.probes_inputs,
        problem_schema=api.error_type,
        security=api.security,
        mounts=api.mounts,
        optional=api.optional,
        invalid_status=api.invalid_status,
        back=back(api) if api.back else None,
    )


def back(api: TaskApi) -> Back:
    return Back(
        vendor=api.name,
        base_url=api.base_url,
        sign=api.sign,
        supports=partial(supports, api),
        ways=partial(ways, api),
        check=partial(check, api),
        submit=partial(submit, api),
        poll=partial(poll, api),
        cancel=partial(cancel, api) if api.stop else None,
        upload=api.upload,
        find=api.find,
        batch=api.batch,
        batch_key=api.batch_key,
        read_callback=partial(read_callback, api) if api.webhook else None,
        unsent=api.unsent,
        final=api.final,
        finds_by_reference=api.finds_by_reference,
        requests_per_second=api.requests_per_second,
        hosts=api.hosts,
        open_models=api.open_models,
    )
