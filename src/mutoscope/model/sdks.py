"""How each vendor's own clients are pointed at a server of ours: base URLs, environment variables, a first request.

Imports nothing but the standard library: the pytest plugin and `mutoscope env` read it without the rest.
"""

from typing import NamedTuple


class Sdk(NamedTuple):
    """`{url}` stands for the server's address, `{host}` for it without its scheme."""

    base: str  # what a client of this API takes as its base URL
    environment: dict[str, str] = {}  # noqa: RUF012 - the default of a tuple's field, which nobody changes
    key: str = ""  # the variable in which its SDK looks for the key
    package: str = ""  # on PyPI
    npm: str = ""
    python: str = ""  # a first request
    note: str = ""


SDKS: dict[str, Sdk] = {
    "runway": Sdk(
        base="{url}/runway",
        environment={"RUNWAYML_BASE_URL": "{url}/runway"},
        key="RUNWAYML_API_SECRET",
        package="runwayml",
        npm="@runwayml/sdk",
        python="""\
from runwayml import RunwayML

client = RunwayML()
task = client.text_to_image.create(model="gen4_image", prompt_text="a lake at dawn", ratio="1920:1080")
print(task.wait_for_task_output().output)""",
    ),
    "openai": Sdk(
        base="{url}/openai/v1",
        environment={"OPENAI_BASE_URL": "{url}/openai/v1"},
        key="OPENAI_API_KEY",
        package="openai",
        npm="openai",
        python="""\
from openai import OpenAI

client = OpenAI()
made = client.images.generate(model="gpt-image-1", prompt="a lake at dawn", size="1024x1024")
print(len(made.data[0].b64_json))""",
    ),
    "anthropic": Sdk(
        base="{url}/anthropic",
        environment={"ANTHROPIC_BASE_URL": "{url}/anthropic"},
        key="ANTHROPIC_API_KEY",
        package="anthropic",
        npm="@anthropic-ai/sdk",
        python="""\
from anthropic import Anthropic

client = Anthropic()
said = client.messages.create(model="claude-sonnet-4-5", max_tokens=64, messages=[{"role": "user", "content": "hello"}])
print(said.content[0].text)""",
    ),
    "replicate": Sdk(
        base="{url}/replicate",
        environment={"REPLICATE_BASE_URL": "{url}/replicate"},
        key="REPLICATE_API_TOKEN",
        package="replicate",
        npm="replicate",
        python="""\
import replicate

print(replicate.run("black-forest-labs/flux-schnell", input={"prompt": "a lake at dawn"}))""",
        note="The JavaScript client reads no variable for the address: `new Replicate({ baseUrl })`.",
    ),
    "luma": Sdk(
        base="{url}/dream-machine/v1",
        environment={"LUMAAI_BASE_URL": "{url}/dream-machine/v1"},
        key="LUMAAI_API_KEY",
        package="lumaai",
        npm="lumaai",
        python="""\
from lumaai import LumaAI

client = LumaAI()
print(client.generations.create(prompt="a lake at dawn", model="ray-2", resolution="720p", duration="5s").id)""",
    ),
    "dashscope": Sdk(
        base="{url}/api/v1",
        environment={"DASHSCOPE_HTTP_BASE_URL": "{url}/api/v1"},
        key="DASHSCOPE_API_KEY",
        package="dashscope",
        python="""\
from dashscope import VideoSynthesis

print(VideoSynthesis.async_call(model="wan2.6-t2v", prompt="a lake at dawn", size="1280*720", duration=5).output)""",
    ),
    "fal": Sdk(
        base="{url}/fal",
        environment={"FAL_RUN_HOST": "{host}/fal/run", "FAL_QUEUE_RUN_HOST": "{host}/fal/queue"},
        key="FAL_KEY",
        package="fal-client",
        npm="@fal-ai/client",
        python="""\
import fal_client

print(fal_client.subscribe("fal-ai/flux/schnell", {"prompt": "a lake at dawn"})["images"][0]["url"])""",
        note="Its clients put https before the two hosts: this needs a server behind TLS. In JavaScript: `proxyUrl`.",
    ),
    "minimax": Sdk(
        base="{url}/minimax",
        environment={"MINIMAX_API_HOST": "{url}/minimax"},
        key="MINIMAX_API_KEY",
        package="minimax-mcp",
        npm="minimax-mcp-js",
    ),
    "flux": Sdk(
        base="{url}/flux",
        key="BFL_API_KEY",
        package="blackforest",
        python="""\
from blackforest import BFLClient

print(BFLClient(api_key="any", base_url="{url}").generate("flux-dev", {"prompt": "a lake at dawn"}))""",
    ),
    "freepik": Sdk(base="{url}/freepik", key="FREEPIK_API_KEY"),
    "ideogram": Sdk(base="{url}/ideogram", key="IDEOGRAM_API_KEY", npm="@ai-sdk/ideogram"),
    "recraft": Sdk(
        base="{url}/recraft/v1",
        key="RECRAFT_API_KEY",
        package="openai",
        python="""\
from openai import OpenAI

client = OpenAI(base_url="{url}/recraft/v1", api_key="any")
print(client.images.generate(prompt="a lake at dawn", model="recraftv3").data[0].url)""",
    ),
    "kling": Sdk(base="{url}/kling", key="KLINGAI_API_KEY"),
}
"""By the name of the wire; the others have no client of their vendor's own, and take `{url}/<name>`."""

ANY_KEY = "rehearsal"  # a server without keys takes any


def base_url(wire: str, url: str) -> str:
    """What a client of this wire takes as its base URL."""
    return filled(SDKS[wire].base if wire in SDKS else f"{{url}}/{wire}", url)


def environment(url: str, key: str = ANY_KEY, *, secure: bool | None = None) -> dict[str, str]:
    """Every variable that points a vendor's own client at the server. Clients that insist on https are left out where
    the server has none."""
    safe = url.startswith("https://") if secure is None else secure
    told = {"MUTOSCOPE_URL": url.rstrip("/"), "MUTOSCOPE_KEY": key}
    for sdk in SDKS.values():
        wanted = {name: filled(value, url) for name, value in sdk.environment.items()}
        if safe or "{host}" not in "".join(sdk.environment.values()):
            told |= wanted
        if sdk.key:
            told[sdk.key] = key
    return told


def filled(text: str, url: str) -> str:
    url = url.rstrip("/")
    return text.replace("{url}", url).replace("{host}", url.partition("://")[2])
