"""Trained models behind the vendors' wires: what is heard, read, cut out and judged; and what each refuses."""

import asyncio
import base64
import io
import json
import os
import shutil
import subprocess
import wave
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
import runwayml
from PIL import Image, ImageDraw, ImageFont

import trained
from mutoscope.engines.local.child import MAKERS
from mutoscope.engines.local.pool import Pool
from mutoscope.engines.local.rows import ROWS
from mutoscope.engines.local.senses import DRAWINGS, PEOPLE, VOICES, Senses, made_by
from mutoscope.engines.studio import SPEAKERS, Studio
from mutoscope.files import c2pa as credentials
from mutoscope.model.config import Studio as StudioSettings
from mutoscope.model.job import Operation
from mutoscope.model.problem import Kind, Problem

Start = Callable[..., AbstractAsyncContextManager[Any]]
SPOKEN = "The lighthouse stands on the coast. Ships pass it in the night."


def lettering(*lines: str) -> bytes:
    image = Image.new("RGB", (480, 60 + 70 * len(lines)), (245, 240, 220))
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((30, 30 + 70 * number), line, fill=(30, 30, 60), font=ImageFont.load_default(40))
    return png(image)


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def as_data(content: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng, which speaks what is listened to, is not installed: apt install espeak-ng")
    path = tmp_path_factory.mktemp("speech") / "speech.wav"
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "140", "-w", str(path), SPOKEN], check=True)
    return path


def sdk(running: Any) -> openai.AsyncOpenAI:
    client = httpx.AsyncClient(transport=running.client._transport, base_url="http://gateway.test/v1")
    return openai.AsyncOpenAI(api_key="any", base_url="http://gateway.test/v1", http_client=client, max_retries=0)


def errors(said: str, heard: str) -> int:
    """Words that must be changed, left out or added."""
    one, other = (["".join(c for c in w if c.isalpha()) for w in text.lower().split()] for text in (said, heard))
    row = list(range(len(other) + 1))
    for number, word in enumerate(one, 1):
        row, before = [number], row
        for place, heard_word in enumerate(other):
            row.append(min(row[-1] + 1, before[place + 1] + 1, before[place] + (word != heard_word)))
    return row[-1]


async def test_speech_is_written_down_in_every_format_with_times(start: Start, speech: Path):
    shelf = trained.shelf("whisper_tiny_en")
    async with start(weights={"folder": str(shelf.folder)}) as running:
        ask = sdk(running).audio.transcriptions.create

        async def heard(**more: Any) -> Any:
            return await ask(file=speech, model="whisper-1", **more)

        told = await heard(response_format="verbose_json", timestamp_granularities=["word", "segment"])
        assert errors(SPOKEN, told.text) <= len(SPOKEN.split()) // 3, told.text
        assert len(told.words) >= 8 and all(each.start <= each.end for each in told.words)
        assert [each.start for each in told.words] == sorted(each.start for each in told.words)
        assert told.segments and told.segments[-1].end <= told.duration + 1
        srt, vtt = await heard(response_format="srt"), await heard(response_format="vtt")
        assert srt.startswith("1\n00:00:0") and " --> " in srt and vtt.startswith("WEBVTT\n\n00:00:0")
        assert (await heard(response_format="text")).strip() == told.text.strip() == (await heard()).text.strip()
        words = await heard(response_format="verbose_json", timestamp_granularities=["word"])
        assert words.words and not words.segments
        with pytest.raises(openai.BadRequestError, match="English only"):
            await heard(language="ja")
        assert (await heard(language="en")).text
        form = {"files": {"file": ("a.wav", speech.read_bytes())}, "data": {"model": "whisper-1"}}
        assert (await running.client.post("/v1/audio/translations", **form)).status_code == 400
        for content in (b"", b"no sound at all", speech.read_bytes()[:60]):
            with pytest.raises(openai.APIStatusError) as refused:
                await ask(file=("a.wav", content), model="whisper-1")
            assert refused.value.status_code < 500


async def test_embeddings_tell_meanings_apart_and_are_as_long_as_was_asked_for(start: Start):
    shelf = trained.shelf("wordllama")
    async with start(weights={"folder": str(shelf.folder)}) as running:
        ask = sdk(running).embeddings.create
        texts = [text for triple in TRIPLES for text in triple]
        found = await ask(model="text-embedding-3-small", input=texts, dimensions=256, encoding_format="float")
        vectors = np.array([each.embedding for each in found.data]).reshape(len(TRIPLES), 3, 256)
        assert np.allclose(np.linalg.norm(vectors, axis=2), 1, atol=1e-5)
        near, far = (vectors[:, 0] * vectors[:, 1]).sum(1), (vectors[:, 0] * vectors[:, 2]).sum(1)
        assert (near > far).mean() >= 0.9, [TRIPLES[at] for at in np.flatnonzero(near <= far)]
        packed = (await ask(model="text-embedding-3-small", input=texts[:2])).data  # base64, as the SDK asks by itself
        assert [len(each.embedding) for each in packed] == [1536, 1536]
        assert np.allclose(np.array(packed[0].embedding)[:256], vectors[0, 0], atol=1e-5)
        short = (await ask(model="text-embedding-3-small", input=texts[0], dimensions=64)).data[0].embedding
        cut = vectors[0, 0, :64] / np.linalg.norm(vectors[0, 0, :64])
        assert np.allclose(short, cut, atol=1e-5)
        odd = (await ask(model="text-embedding-3-small", input=["😀 " * 5000, "\u0000", " "], dimensions=64)).data
        assert all(abs(np.linalg.norm(each.embedding) - 1) < 1e-4 for each in odd)


TRIPLES = (
    ("a lighthouse on a rocky coast", "a beacon that guides ships at night", "the tax law of 1986"),
    ("how to bake bread at home", "a recipe for a sourdough loaf", "the engine of a motorcycle"),
    ("the cat sleeps on the sofa", "a kitten naps on a couch", "quarterly revenue rose"),
    ("the doctor examined the patient", "a physician treated a sick man", "the violin was tuned"),
    ("stock prices fell sharply", "shares dropped on the market", "a bowl of soup"),
    ("children play football in the park", "kids kick a ball on the grass", "an encrypted password"),
    ("a snowy mountain peak", "the summit covered with ice", "a lawyer in a courtroom"),
    ("he repaired the broken car", "the mechanic fixed the vehicle", "poetry of the middle ages"),
    ("the train arrives at noon", "the railway service comes at twelve", "a chocolate cake"),
    ("she plays the piano", "a musician performs on a keyboard", "the drought killed the crops"),
    ("install the software update", "upgrade the program on the computer", "a horse in a meadow"),
    ("the river flooded the village", "water rose over the town's streets", "a wedding dress"),
    ("a red sports car", "a fast crimson automobile", "a glass of milk"),
    ("the president gave a speech", "the head of state addressed the nation", "a garden snail"),
    ("planets orbit the sun", "worlds move around a star", "a leather shoe"),
    ("the movie was boring", "a dull film", "the bridge is made of steel"),
    ("rain is expected tomorrow", "the forecast says wet weather", "the bank approved the loan"),
    ("a soldier in the war", "troops fight in battle", "a vegetarian restaurant"),
    ("learning to speak French", "a language course for beginners", "a washing machine"),
    ("the bird builds a nest", "a sparrow gathers twigs for eggs", "a software licence"),
    ("an old castle on a hill", "a medieval fortress", "a vaccine against the flu"),
    ("he lost his wallet", "his purse with money is gone", "a field of sunflowers"),
    ("the baby is crying", "an infant weeps", "an oil refinery"),
    ("the sea is calm today", "the ocean has no waves", "the parliament voted"),
    ("a broken heart after love", "grief when a romance ends", "a pair of pliers"),
    ("the chef cooks pasta", "a cook prepares noodles", "a telescope lens"),
    ("fire destroyed the house", "the home burned down", "a chess opening"),
    ("the student passed the exam", "a pupil succeeded in the test", "a cargo ship's anchor"),
    ("wolves hunt in packs", "predators chase prey as a group", "a ballpoint pen"),
    ("a cup of hot coffee", "a mug of espresso", "a passport at the border"),
)


async def test_text_in_a_picture_is_read_for_a_chat_and_a_description(start: Start):
    shelf = trained.shelf("ppocr4", "selfie")
    picture = lettering("OPEN DAILY", "9 to 17")
    async with start(weights={"folder": str(shelf.folder)}) as running:
        chat = sdk(running).chat.completions.create

        async def seen(url: str) -> str:
            parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}]
            answer = await chat(model="gpt-4o", messages=[{"role": "user", "content": parts}])  # pyright: ignore[reportArgumentType, reportCallIssue]
            return answer.choices[0].message.content or ""

        said = await seen(as_data(picture))
        assert "no model wrote it" in said and "Facts of picture 1:" in said
        assert (
            '"OPENDAILY"' in said.replace("OPEN DAILY", "OPENDAILY") and "A person found in it by selfie: none." in said
        )
        assert "Statistics of colour and composition" in said
        assert "at which nobody looked" not in said
        assert "The picture cannot be read" in await seen(as_data(b"no picture"))
        assert "not valid base64" in await seen("data:image/png;base64,???")
        assert "Facts" not in await seen("https://example.com/a.png")
        file = {"image_file": ("a.png", picture, "image/png")}
        told = (await running.client.post("/describe", files=file)).json()["descriptions"][0]["text"]
        assert '"OPENDAILY"' in told.replace("OPEN DAILY", "OPENDAILY") and '"9 to 17"' in told


async def test_pictures_are_judged_where_a_model_is_here_for_it(start: Start):
    shelf = trained.shelf("open_nsfw")
    picture = lettering("A plain page")
    part = {"type": "image_url", "image_url": {"url": as_data(picture)}}
    async with start(weights={"folder": str(shelf.folder)}, studio={"refuse_nsfw": 0.0}) as running:
        ask = sdk(running).moderations.create
        found = (await ask(model="omni-moderation-latest", input=[{"type": "text", "text": "hello"}, part])).results[0]  # pyright: ignore[reportArgumentType]
        assert not found.flagged and 0 <= found.category_scores.sexual < 0.5
        assert found.category_applied_input_types.sexual == ["text", "image"]
        damaged = {"type": "image_url", "image_url": {"url": as_data(b"no picture")}}
        with pytest.raises(openai.BadRequestError, match="cannot be read"):
            await ask(model="omni-moderation-latest", input=[damaged])  # pyright: ignore[reportArgumentType]
        with pytest.raises(openai.BadRequestError, match="judged not safe for work"):  # from a score of 0 on: rehearsed
            await sdk(running).images.edit(model="dall-e-2", image=("a.png", picture), prompt="warmer", size="256x256")


def person() -> Image.Image:
    """Drawn: head and shoulders before a plain sky."""
    image = Image.new("RGB", (256, 256), (120, 170, 215))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((56, 176, 200, 300), 50, fill=(45, 60, 120))
    draw.rectangle((112, 146, 144, 184), fill=(205, 152, 120))
    draw.ellipse((82, 36, 174, 150), fill=(60, 38, 25))
    draw.ellipse((90, 52, 166, 164), fill=(224, 172, 140))
    draw.pieslice((84, 38, 172, 120), 180, 360, fill=(60, 38, 25))
    for x in (112, 144):
        draw.ellipse((x - 8, 94, x + 8, 104), fill=(250, 250, 250))
        draw.ellipse((x - 4, 95, x + 4, 104), fill=(50, 30, 20))
        draw.line((x - 10, 86, x + 10, 86), fill=(60, 38, 25), width=3)
    draw.line((128, 102, 124, 124, 132, 126), fill=(190, 135, 105), width=3)
    draw.arc((112, 124, 146, 146), 20, 160, fill=(170, 70, 70), width=4)
    return image


async def test_a_person_is_cut_out_by_the_model_and_the_file_s_statement_says_so(start: Start, tmp_path: Path):
    """By Recraft's wire, as OpenAI's SDK asks there, by Ideogram's and by Freepik's. Of a box rules do it, and no model
    is named."""
    shelf = trained.shelf("selfie")
    drawn, path = person(), tmp_path / "cut.png"
    truth = (np.asarray(drawn).astype(int) != (120, 170, 215)).any(2)
    box = Image.new("RGB", (96, 64), (40, 90, 160))
    box.paste((220, 180, 40), (36, 16, 60, 52))
    async with start(weights={"folder": str(shelf.folder)}) as running:
        client = running.client

        async def recraft(image: bytes) -> Any:
            form = {"content-type": "multipart/form-data"}
            ask = sdk(running).post
            return await ask("/images/removeBackground", cast_to=httpx.Response, options={"headers": form},
                             files={"file": ("a.png", image, "image/png")})  # fmt: skip

        async def ideogram(image: bytes) -> Any:
            return await client.post("/v1/remove-background", files={"image": ("a.png", image, "image/png")})

        async def freepik(image: bytes) -> Any:
            wish = {"files": [{"content_type": "image/png"}]}
            [slot] = (await client.post("/v1/ai/uploads/request-url", json=wish)).json()["files"]
            await client.put(slot["upload_url"], content=image, headers=slot["headers"])
            return await client.post("/v1/ai/beta/remove-background", data={"image_url": slot["asset_url"]})

        for cut in (recraft, ideogram, freepik):
            for image in (drawn, box):
                answer = await cut(png(image))
                told = json.loads(answer.content)
                link = told["url"] if "url" in told else (told.get("image") or told["data"][0])["url"]
                path.write_bytes((await client.get(link)).content)
                note, statement = answer.headers["x-mutoscope-notes"], credentials.read(path, "image/png")
                assert statement and statement.action == "c2pa.edited"
                if image is box:
                    assert "selfie" not in note and statement.helped == () and statement.made_of == ("image",)
                    continue
                alpha = np.asarray(Image.open(path).convert("RGBA"))[..., 3] > 128
                assert (alpha & truth).sum() / (alpha | truth).sum() > 0.9
                assert "the person was found by selfie" in note and "where a trained model found a person" in note
                assert statement.helped == (made_by(PEOPLE),)


async def test_what_the_model_doubts_is_not_taken_for_a_person(tmp_path: Path):
    """A drawn person is one also where it is small; a red ball on white, of which a third is doubted, is none."""
    pool = Pool(trained.shelf("selfie"))
    small, ball = Image.new("RGB", (256, 256), (120, 170, 215)), Image.new("RGB", (256, 256), (240, 240, 240))
    small.paste(person().resize((128, 128)), (20, 128))
    ImageDraw.Draw(ball).ellipse((70, 70, 190, 190), fill=(200, 40, 40))
    try:
        for image, taken in ((person(), True), (small, True), (ball, False), (Image.new("RGB", (64, 64)), False)):
            (tmp_path / "a.png").write_bytes(png(image))
            assert await Senses(pool).person(tmp_path / "a.png", tmp_path / "out.png") is taken
    finally:
        await pool.close()


async def test_drawings_of_up_to_a_megapixel_are_enlarged_by_the_model(start: Start, tmp_path: Path):
    """By Recraft's wire, as OpenAI's SDK asks there, by Ideogram's and by Freepik's; what is no drawing, is transparent
    or has its size already is enlarged by rules, and the job says so."""
    shelf = trained.shelf("waifu2x")
    drawn = person()
    small = png(drawn.resize((64, 64), Image.Resampling.BOX))
    grain = np.random.default_rng(1).integers(0, 40, (48, 64, 3), np.uint8)
    shining = png(Image.new("RGBA", (48, 48), (9, 9, 9, 99)))

    async def ways(running: Any) -> dict[str, Any]:
        client = running.client

        def recraft(path: str) -> Any:
            async def ask(image: bytes) -> Any:
                options: Any = {"headers": {"content-type": "multipart/form-data"}}
                files = {"file": ("a.png", image, "image/png")}
                return await sdk(running).post(path, cast_to=httpx.Response, options=options, files=files)

            return ask

        async def ideogram(image: bytes) -> Any:
            return await client.post("/upscale", files={"image_request": (None, "{}"), "image_file": ("a.png", image)})

        async def freepik(image: bytes) -> Any:
            body = {"image": base64.b64encode(image).decode(), "scale_factor": "2x"}
            task = await client.post("/v1/ai/image-upscaler", json=body)
            path = f"/v1/ai/image-upscaler/{task.json()['data']['task_id']}"
            while (done := await client.get(path)).json()["data"]["status"] not in ("COMPLETED", "FAILED"):
                await asyncio.sleep(0.05)
            return done

        crisp, creative = recraft("/images/crispUpscale"), recraft("/images/creativeUpscale")
        return {"crisp": crisp, "creative": creative, "ideogram": ideogram, "freepik": freepik}

    async with start(weights={"folder": str(shelf.folder)}) as running:
        for name, enlarge in (await ways(running)).items():
            answer = await enlarge(small)
            told = answer.json()
            link = told["data"]["generated"][0] if name == "freepik" else (told.get("image") or told["data"][0])["url"]
            (tmp_path / "made.png").write_bytes((await running.client.get(link)).content)
            assert f"enlarged twice by {made_by(DRAWINGS)}" in answer.headers["x-mutoscope-notes"], name
            made = Image.open(tmp_path / "made.png").convert("RGB")
            lanczos = Image.open(io.BytesIO(small)).resize(made.size, Image.Resampling.LANCZOS)
            truth = drawn.resize(made.size, Image.Resampling.LANCZOS)
            assert psnr(truth, made) > psnr(truth, lanczos) + 1, name
            statement = credentials.read(tmp_path / "made.png", "image/png")
            assert statement and statement.helped == (made_by(DRAWINGS),)
        asks, grainy = await ways(running), png(Image.fromarray(grain))
        notes = (await asks["crisp"](grainy)).headers["x-mutoscope-notes"]
        assert "% of the picture is even, a drawing from 50 % on" in notes and "by resampling; no detail" in notes
        for image, told in ((shining, {"made": False}), (grainy, {"made": True, "even": 0.0})):
            (tmp_path / "a.png").write_bytes(image)
            assert await running.app.senses.enlarged(tmp_path / "a.png", tmp_path / "out.png", least_even=0) == told
        large = png(Image.new("RGB", (1250, 801)))
        (tmp_path / "large.png").write_bytes(large)
        for image, why in ((grainy, "a drawing from 50 %"), (large, "up to 1000000 pixels, and this one has 1001250")):
            with pytest.raises(openai.BadRequestError, match=f"invented by waifu2x .* {why}"):
                await asks["creative"](image)
        with pytest.raises(Problem, match="has 1001250 pixels; waifu2x enlarges those of up to 1000000"):
            await running.app.senses.enlarged(tmp_path / "large.png", tmp_path / "out.png", least_even=0)
        for wanted, creative in (("never", False), ("always", True)):
            studio = Studio(StudioSettings(trained_upscale=wanted), senses=running.app.senses)
            assert ("creative" in studio.supported_fields[Operation.IMAGE_UPSCALE]) == creative


def psnr(one: Image.Image, other: Image.Image) -> float:
    return float(10 * np.log10(255**2 / np.mean((np.asarray(one, float) - np.asarray(other, float)) ** 2)))


async def test_speech_is_spoken_by_the_program_that_the_settings_name_first(start: Start):
    """By OpenAI's SDK, with the vendor's names of a woman's voice and of a man's; the job says who spoke."""
    voices = {"flite": ("voice slt", "voice rms"), "festival": ("", ""), "espeak-ng": ("timbre f2", "timbre m1")}
    here = {name: told for name, told in voices.items() if shutil.which(SPEAKERS[name])}
    if piper := os.environ.get("PIPER_VOICE") if shutil.which("piper") else None:
        here["piper"] = (f"voice {Path(piper).stem}",) * 2
    if not here:
        pytest.skip("none of flite, festival, espeak-ng and piper (with PIPER_VOICE, its voice's file) is installed")
    heard: dict[str, bytes] = {}
    for name, told in here.items():
        order = [name, *(each for each in SPEAKERS if each != name)]
        async with start(studio={"speakers": order, "piper_voice": piper or ""}) as running:
            for voice, said in zip(("nova", "onyx"), told, strict=True):
                ask = sdk(running).audio.speech.with_raw_response.create
                answer = await ask(model="tts-1", voice=voice, input=SPOKEN, response_format="wav")
                notes, heard[f"{name} {voice}"] = answer.headers["x-mutoscope-notes"], answer.content
                assert f"spoken by {name} in language 'en'" in notes and said in notes and f"not by {voice}" in notes
                assert ("timbre" in notes) == (name == "espeak-ng")
                assert 1.5 < len(answer.content) / 2 / 16_000 < 12 and answer.content[:4] == b"RIFF"
            if told[0] != told[1]:
                assert heard[f"{name} nova"] != heard[f"{name} onyx"]
            if name != "espeak-ng" and "espeak-ng" in here:
                german = await ask(model="tts-1", voice="onyx", input="Das ist nicht die ganze Geschichte")
                assert "spoken by espeak-ng in language 'de'" in german.headers["x-mutoscope-notes"]


async def test_a_voice_is_isolated_from_noise(start: Start, speech: Path, tmp_path: Path):
    """By Runway's SDK and by Freepik's wire, whose clients say what is to be isolated."""
    shelf = trained.shelf("gtcrn")
    clean, rate = samples_of(speech.read_bytes())
    noise = np.convolve(np.random.default_rng(1).normal(size=len(clean)), np.ones(4) / 4, "same")
    mixed = clean + noise * np.sqrt((clean @ clean) / (noise @ noise) / 10**0.5)
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((mixed.clip(-1, 1) * 32767).astype("<i2").tobytes())
    noisy = as_data(content.getvalue(), "audio/wav")
    async with start(weights={"folder": str(shelf.folder)}) as running:
        client = running.client
        http = httpx.AsyncClient(transport=client._transport, base_url="http://gateway.test")
        async with runwayml.AsyncRunwayML(api_key="any", base_url="http://gateway.test", http_client=http) as runway:
            task = await runway.voice_isolation.create(model="eleven_voice_isolation", audio_uri=noisy)
            done = await runway.tasks.retrieve(task.id)
            while done.status not in ("SUCCEEDED", "FAILED"):
                await asyncio.sleep(0.05)
                done = await runway.tasks.retrieve(task.id)
            made, _ = samples_of((await client.get(done.output[0])).content)  # pyright: ignore[reportAttributeAccessIssue]
            clean16 = np.interp(np.arange(len(made)) * rate / 16_000, np.arange(len(clean)), clean)
            mixed16 = np.interp(np.arange(len(made)) * rate / 16_000, np.arange(len(mixed)), mixed)
            assert likeness(clean16, made) > likeness(clean16, mixed16) + 3
            body = {"description": "a person speaking", "audio": noisy}
            task = (await client.post("/v1/ai/audio-isolation", json=body)).json()["data"]["task_id"]
            told: Any = {"status": ""}
            while told["status"] not in ("COMPLETED", "FAILED"):
                await asyncio.sleep(0.05)
                told = (await client.get(f"/v1/ai/audio-isolation/{task}")).json()["data"]
            again = samples_of((await client.get(told["generated"][0])).content)[0]
            assert np.array_equal(again, made)
            (tmp_path / "made.wav").write_bytes((await client.get(told["generated"][0])).content)
            statement = credentials.read(tmp_path / "made.wav", "audio/wav")
            assert statement and statement.action == "c2pa.edited" and made_by(VOICES) in str(statement)
            refused = await client.post("/v1/ai/audio-isolation", json=body | {"description": "a dog that barks"})
            assert refused.status_code == 400 and "knows voices only" in refused.text and "description" in refused.text


def samples_of(content: bytes) -> tuple[Any, int]:
    with wave.open(io.BytesIO(content)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768, file.getframerate()


def likeness(wanted: Any, found: Any) -> float:
    """In dB, whatever the loudness."""
    part = (wanted @ found) / (wanted @ wanted) * wanted
    return float(10 * np.log10((part @ part) / ((found - part) @ (found - part))))


async def test_no_hostile_input_ends_a_model_s_process(tmp_path: Path):
    """Every model, the mark's reader and the person's among them, is handed what is no picture, sound or text; it says
    no or finds nothing, and goes on in the same process."""
    shelf, out = trained.shelf(*(row.name for row in ROWS)), tmp_path / "out"
    pool = Pool(shelf)
    whole, page = Image.linear_gradient("L").convert("RGB"), io.BytesIO()
    whole.save(page, "JPEG")
    bomb = png(Image.new("1", (9000, 9000)))
    sizes = [png(Image.new("RGB", size, (9, 200, 30))) for size in ((1, 1), (1, 900), (900, 1))]
    modes = [png(Image.new(mode, (20, 30))) for mode in ("1", "L", "LA", "P", "RGBA", "I;16")]
    cut = [page.getvalue()[:length] for length in (2, 20, 200, 500)]
    spoilt = bytearray(page.getvalue())
    spoilt[100:300] = bytes(200)
    nothing = [
        b"",
        b"no file",
        bytes(5000),
        b"RIFF\xff\xff\xff\xffWAVEfmt ",
        b"<svg><image href='file:///etc/passwd'/></svg>",
    ]
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 999
    whole.save(turned, "JPEG", exif=exif)
    slow = ("rivagan", "ppocr4")  # of which a picture that can be read takes a second
    files = [*nothing, *cut, bytes(spoilt), turned.getvalue(), bomb, *sizes]
    texts = [[], ["\ud800"], ["x"] * 2049, ["\x00" * 100, ""], ["\U0001f600" * 9000], ["\u202e\ufffe"]]
    asked: dict[str, list[dict[str, Any]]] = {
        "rivagan": [{}, {"clip": True}],
        "waifu2x": [{"least_even": 0.0}],
        "wordllama": [{"texts": each} for each in texts],
    }
    try:
        for row in ROWS:
            _ = await pool.ask(row.name, {"ask": "walls"})
            process = pool._held[row.name].process.pid
            for question in asked.get(row.name, [{}]):
                for content in (
                    [None] if row.name == "wordllama" else [*files, *(modes if row.name not in slow else [])]
                ):
                    path = None if content is None else tmp_path / "file"
                    if path is not None:
                        path.write_bytes(content or b"")
                    makes = row.name in MAKERS and row.name != "rivagan"
                    try:
                        answer = await pool.ask(row.name, question, path, out if makes else None)
                    except Problem as problem:
                        assert str(tmp_path) not in problem.message and "Traceback" not in problem.message
                        assert problem.kind in (Kind.BAD_MEDIA, Kind.INVALID), (row.name, question, content, problem)
                    else:
                        json.dumps(answer, allow_nan=False)
            assert pool._held[row.name].process.pid == process, row.name
            await pool.close()
            pool = Pool(shelf)
    finally:
        await pool.close()
