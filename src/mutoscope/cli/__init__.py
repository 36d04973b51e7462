"""The command line: one file per verb or group of verbs, and what they share.

What belongs here: reading options, asking the layers below, and showing the answer. Each verb's module is
imported when that verb is called, not before, so that `--help` and `--version` answer at once and the modules
can keep their imports at the top.
"""

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, UnknownCommandError

from mutoscope import __version__

app = App(
    name="mutoscope",
    help="A self-hosted generative media gateway: vendors' HTTP APIs in front, real media behind.",
    version=__version__,
    help_format="plaintext",  # markdown would import a parser and a highlighter, for words
)
VERBS = {
    "serve": "Run the server: the vendors' APIs, the worker and the store in one process.",
    "generate": "Make one picture or clip in this process and write it to a file.",
    "jobs": "List, show, cancel and wait for jobs.",
    "webhooks": "List, show and replay webhook messages; print the secret that signs them.",
    "inspect": "Who made a file, how, and whether it was altered since.",
    "models": "Which models there are, what they do and who makes them here.",
    "usage": "What was spent, by key, model, day or engine.",
    "sweep": "Remove now what has been kept for its time.",
    "forget": "Remove everything that is kept of one owner, and look whether it is gone.",
    "doctor": "What is installed, reachable and missing, and what to do about it.",
    "keys": "Make, list, revoke and rotate API keys.",
}
GROUPS = ("jobs", "keys", "webhooks")
for verb, sentence in VERBS.items():
    app.command(f"mutoscope.cli.{verb}:{'app' if verb in GROUPS else verb}", name=verb, help=sentence)


def main(tokens: Sequence[str] | None = None) -> None:
    """The entry point. Exit code 0: done; 1: it failed; 2: it was asked for wrongly."""
    try:
        code = app(tokens, exit_on_error=False, print_error=False, result_action="return_int_as_exit_code_else_zero")
    except CycloptsError as error:
        code = fail(f"{first_line(error)} (mutoscope --help lists what there is)", 2)
    except KeyboardInterrupt:
        code = 130
    except Exception as error:
        # Late: what knows every failure of the program has imported the program, and --help need not wait for it.
        from mutoscope.cli._failure import explain

        if (told := explain(error)) is None:
            raise
        code = fail(*told)
    sys.exit(code)


def fail(message: str, code: int) -> int:
    print(f"mutoscope: {message}", file=sys.stderr)
    return code


def first_line(error: CycloptsError) -> str:
    if isinstance(error, UnknownCommandError):  # its own text would import every verb
        return f"There is no command {' '.join(error.unused_tokens or [])!r}."
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "This cannot be understood.")
