"""The command line: one file per verb or group of verbs, and what they share.

What belongs here: reading options, asking the layers below, and showing the answer. Each verb's module is
imported when that verb is called, not before, so that `--help` and `--version` answer at once and the modules
can keep their imports at the top.
"""

import contextlib
import gc
import io
import os
import signal
import sys
from collections.abc import Generator, Sequence
from types import FrameType

from cyclopts import App, CycloptsError, UnknownCommandError

from mutoscope import __version__

app = App(
    name="mutoscope",
    help="A self-hosted generative media gateway: vendors' HTTP APIs in front, real media behind.",
    version=__version__,
    suppress_keyboard_interrupt=False,
    help_format="plaintext",  # markdown would import a parser and a highlighter, for words
)
VERBS = {
    "serve": "Run the server: the vendors' APIs, the worker and the store in one process.",
    "worker": "Make jobs that servers have filed; takes no requests.",
    "open": "Print the console's address, with a link that signs in once.",
    "generate": "Make one picture or clip in this process and write it to a file.",
    "jobs": "List, show, cancel and wait for jobs.",
    "webhooks": "List, show and replay webhook messages; print the secret that signs them.",
    "inspect": "Who made a file, how, and whether it was altered since.",
    "models": "Which models there are, what they do and who makes them here.",
    "cassettes": "List, show, verify and prune recordings of vendors; compare them with today's.",
    "exchanges": "Records of requests that were answered in words.",
    "usage": "What was spent, by key, model, day or engine.",
    "sweep": "Remove now what has been kept for its time.",
    "forget": "Remove everything that is kept of one owner, and look whether it is gone.",
    "store": "Bring the store's schema up to date, look whether all is right, move to another database.",
    "weights": "List, fetch and check the files of trained models that run on this machine.",
    "doctor": "What is installed, reachable and missing, and what to do about it.",
    "keys": "Make, list, revoke and rotate API keys.",
    "env": "The environment variables that point every vendor's own client at a server.",
    "mcp": "The tools for agents over stdio, by the Model Context Protocol.",
}
GROUPS = ("cassettes", "jobs", "keys", "store", "webhooks", "weights")
for verb, sentence in VERBS.items():
    app.command(f"mutoscope.cli.{verb}:{'app' if verb in GROUPS else verb}", name=verb, help=sentence)


def main(tokens: Sequence[str] | None = None) -> None:
    """The entry point. Exit code 0: done; 1: it failed; 2: it was asked for wrongly; 128 + n: signal n ended it."""
    words = list(sys.argv[1:] if tokens is None else tokens)
    heard: list[int] = []
    write_anyway()
    gc.set_threshold(*SELDOM)
    try:
        with ended_by_signals(heard):
            code = app(words, exit_on_error=False, print_error=False, result_action=RESULT)
    except CycloptsError as error:
        code = fail(f"{first_line(error)} (mutoscope --help lists what there is)", 2)
    except BrokenPipeError:  # whoever read us has read enough, as `head` does
        code = 128 + signal.SIGPIPE
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left would fail once more at the exit
    except KeyboardInterrupt:
        code = 128 + (heard[0] if heard else signal.SIGINT)
    except Exception as error:
        # Late: what knows every failure of the program has imported the program, and --help need not wait for it.
        from mutoscope.cli._failure import explain

        if (told := explain(error, words)) is None:
            raise
        code = fail(*told)
    sys.exit(code)


RESULT = "return_int_as_exit_code_else_zero"
SELDOM = (50_000, 20, 100)
"""How often the collector looks: at Python's default pace it walks over all that is being imported again and again, a
tenth of the start, and finds nothing."""


def write_anyway() -> None:
    """What a terminal's encoding lacks is shown as question marks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


@contextlib.contextmanager
def ended_by_signals(heard: list[int]) -> Generator[None]:
    """A request to end or a closed terminal is taken as Ctrl-C is, which unwinds all that was begun: temporary
    directories, children, locks. A signal that is ignored, as by nohup, stays ignored.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        usual = signal.getsignal(signal.SIGINT)  # asyncio's own while a loop runs
        (usual if callable(usual) else signal.default_int_handler)(signal.SIGINT, frame)

    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    taken = [each for each, handler in before.items() if handler == signal.SIG_DFL]
    for each in taken:
        signal.signal(each, interrupt)
    try:
        yield
    finally:
        for each in taken:
            signal.signal(each, before[each])


def fail(message: str, code: int) -> int:
    print(f"mutoscope: {message}", file=sys.stderr)
    return code


def first_line(error: CycloptsError) -> str:
    if isinstance(error, UnknownCommandError):  # its own text would import every verb
        return f"There is no command {' '.join(error.unused_tokens or [])!r}."
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "This cannot be understood.")
