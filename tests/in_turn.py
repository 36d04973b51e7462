"""Cases of one test that are tried one after another, where thousands of tests of their own would cost minutes."""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

Test = Callable[..., Any]


def in_turn(names: str, values: Iterable[Any]) -> Callable[[Test], Test]:
    """As `pytest.mark.parametrize`, in one test: what failed is named by a note. For tests whose fixtures keep no state."""
    cases = list(values)
    several = names.replace(" ", "").split(",")

    def decorate(test: Test) -> Test:
        def given(case: Any) -> dict[str, Any]:
            return dict(zip(several, case, strict=True)) if len(several) > 1 else {names: case}

        if inspect.iscoroutinefunction(test):

            @wraps(test)
            async def turns(**fixtures: Any) -> None:
                for case in cases:
                    try:
                        await test(**fixtures, **given(case))
                    except BaseException as exc:
                        exc.add_note(f"with {given(case)!r:.300}")
                        raise
        else:

            @wraps(test)
            def turns(**fixtures: Any) -> None:
                for case in cases:
                    try:
                        test(**fixtures, **given(case))
                    except BaseException as exc:
                        exc.add_note(f"with {given(case)!r:.300}")
                        raise

        signature = inspect.signature(test)
        left = [each for name, each in signature.parameters.items() if name not in several]
        turns.__signature__ = signature.replace(parameters=left)  # pyright: ignore[reportAttributeAccessIssue]
        return turns

    return decorate
