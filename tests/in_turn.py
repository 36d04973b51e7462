"""Cases of one test that are tried one after another, where thousands of tests of their own would cost minutes."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

Test = Callable[..., Any]


def in_turn(names: str, values: Iterable[Any]) -> Callable[[Test], Test]:
    """As `pytest.mark.parametrize`, in one test; a note says what failed. For tests whose fixtures keep no state."""
    each = [name.strip() for name in names.split(",")]
    cases = [dict(zip(each, value if len(each) > 1 else (value,), strict=True)) for value in values]

    def decorate(test: Test) -> Test:
        if inspect.iscoroutinefunction(test):

            @wraps(test)
            async def turns(**fixtures: Any) -> None:
                for case in cases:
                    with noted(case):
                        await test(**fixtures, **case)
        else:

            @wraps(test)
            def turns(**fixtures: Any) -> None:
                for case in cases:
                    with noted(case):
                        test(**fixtures, **case)

        signature = inspect.signature(test)
        left = [parameter for name, parameter in signature.parameters.items() if name not in each]
        turns.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
        return turns

    return decorate


@contextmanager
def noted(case: dict[str, Any]) -> Iterator[None]:
    try:
        yield
    except BaseException as exc:
        exc.add_note(f"with {case!r:.300}")
        raise
