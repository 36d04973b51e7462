"""Where webhooks may go."""

from mutoscope.files.egress import judge_url
from mutoscope.model.config import Net
from mutoscope.model.problem import Kind, Problem


def receiver_address(text: str, name: str, net: Net) -> str:
    """An address that messages may be sent to, as it came. Raises Problem(INVALID) that tells `name`.

    What its spelling tells is refused here; where a name leads is judged at every sending, when it has an address.
    """
    try:
        judge_url(text, net)
    except Problem as problem:
        fault = problem.message.removeprefix("refused: ")
        message = f"{name} should be an http(s) URL that this server may call: {fault}"
        raise Problem(Kind.INVALID, message, field=name) from problem
    return text
