"""Which route a request finds."""

from typing import Any

import pytest

from mutoscope import wires
from mutoscope.model.http import HttpRequest, HttpResponse
from mutoscope.web.router import Router
from mutoscope.wirekit.routes import Reply
from mutoscope.wirekit.wire import Claim, Wire

WIRES = wires.BY_NAME


def wire(name: str, *ats: str, **more: Any) -> Wire:
    """A wire whose routes answer with where they stand."""
    routes = tuple(Reply(at=at, summary=at, reply=lambda _: HttpResponse()) for at in ats)
    return Wire(
        name=name,
        title=name,
        docs="https://docs.example",
        roots=("/v1/",),
        routes=routes,
        render_problem=lambda *_: HttpResponse(status=400),
        credential=lambda _: None,
        public_id=str,
        job_id=str,
        **more,
    )


def found(router: Router, path: str, method: str = "GET") -> tuple[str, dict[str, str]] | None:
    """Where the only target of a request stands, and what its parameters are."""
    answer = router.find(path, method)
    if not answer.targets:
        return None
    [target] = answer.targets
    return target.route.at, answer.params(target)


def test_a_path_may_have_any_number_of_parameters() -> None:
    router = Router((wire("r", "GET /v1/models/{owner}/{name}/versions/{id}", "GET /v1/models/{owner}/{name}"),))
    assert found(router, "/v1/models/a/b/versions/3") == (
        "GET /v1/models/{owner}/{name}/versions/{id}",
        {"owner": "a", "name": "b", "id": "3"},
    )
    assert found(router, "/r/v1/models/a/b") == ("GET /v1/models/{owner}/{name}", {"owner": "a", "name": "b"})
    assert found(router, "/v1/models/a") is None


def test_a_parameter_may_take_several_parts() -> None:
    at = "GET /{app…}/requests/{id}/status"
    router = Router((wire("f", at, "POST /{app…}"),))
    assert found(router, "/fal-ai/flux/dev/requests/7/status") == (at, {"app": "fal-ai/flux/dev", "id": "7"})
    assert found(router, "/a/requests/b/requests/7/status") == (at, {"app": "a/requests/b", "id": "7"})
    assert found(router, "/fal-ai/flux", "POST") == ("POST /{app…}", {"app": "fal-ai/flux"})
    assert found(router, "/requests/7/status") is None


def test_a_path_of_literals_comes_before_one_with_parameters() -> None:
    router = Router((wire("a", "GET /v1/videos/{id}"), wire("b", "GET /v1/videos/text2video", "POST /v1/videos/make")))
    assert found(router, "/v1/videos/text2video") == ("GET /v1/videos/text2video", {})
    assert found(router, "/v1/videos/other") == ("GET /v1/videos/{id}", {"id": "other"})
    assert found(router, "/v1/videos/make") == ("GET /v1/videos/{id}", {"id": "make"})  # what its literals lack


def test_a_fixed_part_that_leads_nowhere_does_not_hide_a_parameter() -> None:
    router = Router((wire("a", "GET /v1/{kind}/list", "GET /v1/tasks/{id}/cancel"),))
    assert found(router, "/v1/tasks/list") == ("GET /v1/{kind}/list", {"kind": "tasks"})


@pytest.mark.parametrize("name", WIRES)
def test_a_slash_at_the_end_changes_nothing(name: str) -> None:
    router = Router((WIRES[name],))
    for route in WIRES[name].routes:
        path = "/".join("x" if part.startswith("{") else part for part in route.path.split("/"))
        for method in (route.method, "HEAD") if route.method == "GET" else (route.method,):
            assert router.find(path, method).targets
            assert router.find(f"{path}/", method) == router.find(path, method)


@pytest.mark.parametrize("path", ["", "/", "//", "x", "/v1", "/v1/", "/v1//x", "/v1/tasks//cancel", "/" * 200])
def test_what_is_no_path_leads_nowhere(path: str) -> None:
    router = Router((wire("a", "GET /v1/tasks/{id}/cancel", "GET /v1/tasks/{id}"),))
    assert not router.find(path, "GET").targets
    assert not router.find(path, "GET").methods


def test_a_path_that_takes_other_methods_says_which() -> None:
    router = Router((wire("a", "GET /v1/tasks/{id}", "DELETE /v1/tasks/{id}", "POST /v1/{any…}"),))
    answer = router.find("/v1/tasks/7", "PUT")
    assert not answer.targets
    assert set(answer.methods) == {"GET", "DELETE", "POST"}
    assert answer.wire and answer.wire.name == "a"


def test_what_is_not_below_a_vendors_mount_is_told_in_that_vendors_words() -> None:
    router = Router((wire("a", "GET /v1/tasks"), wire("b", "GET /v1/tasks", mounts=("/c",))))
    for path, name in (("/b/nothing", "b"), ("/c/v2/nothing", "b"), ("/a/v1/nothing", "a"), ("/v1/nothing", "a")):
        answer = router.find(path, "POST")
        assert not answer.targets and answer.wire and answer.wire.name == name
    assert router.find("/nothing", "POST").wire is None


def test_two_routes_of_a_wire_at_one_place_are_refused() -> None:
    with pytest.raises(ValueError, match="two routes"):
        Router((wire("a", "GET /v1/tasks/{id}", "GET /v1/tasks/{other}"),))


def test_a_leading_part_that_clients_leave_out_is_found_without() -> None:
    router = Router((wire("r", "GET /v1/predictions/{id}", optional="/v1", mounts=("/relay",)),))
    for path in ("/v1/predictions/7", "/r/v1/predictions/7", "/r/predictions/7", "/relay/predictions/7"):
        assert found(router, path) == ("GET /v1/predictions/{id}", {"id": "7"})


SHARED = "GET /v1/models"
TWO = (wire("first", SHARED), wire("second", SHARED))


def asked(**headers: str) -> HttpRequest:
    return HttpRequest(method="GET", path="/v1/models", headers=headers)


def test_a_path_of_several_vendors_goes_to_the_first_unless_the_request_tells() -> None:
    claim = Claim(at=SHARED, wire="second", when=lambda request: "x-two" in request.headers, why="the header x-two")
    router = Router(TWO, claims=(claim,), hosts={"API.second.example": "second"})
    answer = router.find("/v1/models", "GET")
    assert [target.wire.name for target in answer.targets] == ["first", "second"]
    assert router.of_host(answer, asked(host="elsewhere.example")) is None
    for host in ("api.second.example", "Api.Second.Example:443"):
        target = router.of_host(answer, asked(host=host))
        assert target and target.wire.name == "second"
    assert router.claimed(answer, asked(), body=False) is None
    target = router.claimed(answer, asked(**{"x-two": "1"}), body=False)
    assert target and target.wire.name == "second"
    assert found(router, "/first/v1/models") == found(router, "/second/v1/models") == (SHARED, {})
