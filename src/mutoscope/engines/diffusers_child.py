"""The child of `diffusers.py`: owns one device, loads one pipeline and makes with it what it is asked for, job by job.

It is run by path, by whichever Python has torch and diffusers, and imports nothing of ours but the sandbox, by path.
Lines of JSON in: {"load": {…}} first, then {"make": id, …} for each job, {"cancel": id} at any time. Lines of JSON out:
{"loaded": {…}} or {"unloadable": text, "told": text}; for a job {"job": id, "progress": share}, now and then {"job":
id, "glimpse": a JPEG in base64} of what the steps have come to, and at its end, beside its id, one of "done",
"canceled", "refused" for what the pipeline cannot make, "memory" for what the device has no room for, "lost" for a
device that no longer answers, after which this process ends, and "broken". When its stdin closes, its parent is gone
and so is it.

`Maker` is what Ray's actors run as well (`ray_child.py`), from this file's text.
"""

import contextlib
import gc
import importlib
import importlib.util
import inspect
import io
import json
import logging
import math
import os
import queue
import sys
import threading
import time
import traceback
from base64 import b64encode
from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, cast

Json = dict[str, Any]

MAX_TRACE = 4000  # characters
DECODING = 0.08  # the share of the work that comes after the last step
SMALLEST_TILE = 64
SEEDS = 1 << 63
GLIMPSE_LATENTS = 32  # the longer side of a picture of what is being made, before it is decoded
GLIMPSE_PIXELS = 256  # and after
ROOM = 0.9  # of the device's free memory that weights may take before they are moved there piece by piece
FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}
UNSUITABLE = (
    "the folder lacks what the pipeline needs, or needs a newer diffusers; see the log of the server for the library's"
    " own words"
)


class Canceled(BaseException):  # not an Exception: no library may take it for its own trouble
    """Nobody wants this job any more."""


class Refused(Exception):
    """What the pipeline cannot be asked."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Unloadable(Exception):
    """The message is for the caller and names no path."""


def main() -> None:
    """Load, then make until nobody asks any more."""
    report = reporter()
    orders: queue.Queue[Json] = queue.Queue()
    unwanted: set[str] = set()
    threading.Thread(target=listen, args=(orders, unwanted), daemon=True).start()
    maker = Maker(orders.get()["load"])
    try:
        report({"loaded": maker.load()})
    except BaseException as error:
        report(load_failure(error))
        os._exit(1)
    if maker.settings["sandbox"]:
        shut_in()
    while True:
        order = orders.get()
        report({"job": order["make"], **attempt(maker, order, report, unwanted)})
        if maker.is_lost:
            os._exit(1)


def attempt(maker: "Maker", order: Json, report: Callable[[Json], None], unwanted: set[str]) -> Json:
    """How one job ended, as it is told."""
    id = order["make"]

    def check() -> None:
        if id in unwanted:
            raise Canceled

    try:
        return {"done": maker.make(order, lambda news: report({"job": id, **news}), check)}
    except BaseException as error:
        return maker.failure(error)
    finally:
        unwanted.discard(id)


def listen(orders: "queue.Queue[Json]", unwanted: set[str]) -> None:
    """Take orders in while one is worked on. A cancellation that comes too late is for a job that is gone."""
    with os.fdopen(0, "rb", closefd=False) as source, contextlib.suppress(OSError):
        for line in source:
            order = json.loads(line)
            if "cancel" in order:
                unwanted.add(order["cancel"])
            else:
                orders.put(order)
    os._exit(0)


def reporter() -> Callable[[Json], None]:
    """Writes lines to the parent, out of the reach of libraries that print."""
    handle = os.dup(1)
    os.dup2(2, 1)
    lock = threading.Lock()

    def report(news: Json) -> None:
        left = json.dumps(news).encode() + b"\n"
        with lock:
            while left:
                left = left[os.write(handle, left) :]

    return report


def load_failure(error: BaseException) -> Json:
    told = str(error) if isinstance(error, Unloadable) else UNSUITABLE
    if isinstance(error, ImportError):
        told = f"its Python lacks the package {error.name or 'torch'}"
    return {"unloadable": trace_of(error), "told": told}


def trace_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-MAX_TRACE:]


def shut_in() -> None:
    """From here on no network and no hand on other processes: what is opened now comes from strangers."""
    spec = importlib.util.spec_from_file_location("sandbox", Path(__file__).parent.parent / "files" / "_sandbox.py")
    if spec and spec.loader:
        sandbox = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sandbox)
        if sandbox.keep_privileges():
            sandbox.shut_calls(sandbox.NETWORK, sandbox.OTHERS, sandbox.SYSTEM, threads=True)


class Maker:
    """A pipeline on a device."""

    def __init__(self, settings: Json) -> None:
        self.settings = settings
        self.is_lost = False  # the device no longer answers this process
        self._check: Callable[[], None] = lambda: None
        self._report: Callable[[float], None] = lambda _: None
        self._show: Callable[[Json], None] = lambda _: None
        self._glimpsed = 0.0  # when the last picture of what is being made was drawn
        self._siblings: dict[str, Any] = {}
        self._has_stepped = False  # whether all steps of the picture in work are made: what comes after is the decoding

    # -- loading ---------------------------------------------------------------------------

    def load(self) -> Json:
        """Bring the weights onto the device. Raises Unloadable, and what the library raises."""
        settings = self.settings
        self.torch: Any = importlib.import_module("torch")
        self.library: Any = importlib.import_module("diffusers")
        if settings["threads"]:
            self.torch.set_num_threads(settings["threads"])
        self.device = self._chosen_device(settings["device"])
        with noticed() as warnings:
            pipe = self.library.DiffusionPipeline.from_pretrained(
                settings["model"],
                dtype=getattr(self.torch, settings["dtype"]),
                use_safetensors=True,  # a pickle runs whatever is in it
                local_files_only=not settings["online"],
            )
        if random := next((each for each in warnings if "newly initialized" in each), None):
            print(random, file=sys.stderr)
            raise Unloadable("the weights lack parts that the model's configuration has")
        name = type(pipe).__name__
        if name not in settings["pipelines"]:
            raise Unloadable(f"the folder holds a {name}, not one of {', '.join(settings['pipelines'])}")
        self.pipe = pipe
        self._add_loras(pipe)
        if settings["quantize"] == "fp8":
            for part in self._denoisers():
                part.enable_layerwise_casting(
                    storage_dtype=self.torch.float8_e4m3fn, compute_dtype=getattr(self.torch, settings["dtype"])
                )
        self.offload = self._place(pipe, settings["offload"])
        if settings["tiling"]:
            self._tile()
        for part in self._parts():
            self._watch(part)
        self._siblings[name] = pipe
        self._hear_steps(pipe)
        return {
            "pipeline": name,
            "device": self.device,
            "offload": self.offload,
            "torch": str(self.torch.__version__),
            "diffusers": str(self.library.__version__),
        }

    def _chosen_device(self, wanted: str) -> str:
        if wanted != "auto":
            return wanted
        if self.torch.cuda.is_available():
            return "cuda"
        backends = getattr(self.torch, "backends", None)
        return "mps" if backends and hasattr(backends, "mps") and backends.mps.is_available() else "cpu"

    def _add_loras(self, pipe: Any) -> None:
        loras: dict[str, float] = self.settings["loras"]
        for number, place in enumerate(loras):
            path = Path(place)
            is_file = path.suffix == ".safetensors"
            pipe.load_lora_weights(
                str(path.parent) if is_file else place,
                **({"weight_name": path.name} if is_file else {}),
                adapter_name=f"lora{number}",
                use_safetensors=True,
                local_files_only=not self.settings["online"],
            )
        if loras:
            pipe.set_adapters([f"lora{number}" for number in range(len(loras))], list(loras.values()))

    def _place(self, pipe: Any, wanted: str) -> str:
        """Move the parts to the device, or arrange that they come when they are needed. Returns which it was."""
        if wanted == "auto":
            wanted = "model" if self._is_too_large() else "none"
        if wanted == "model":
            pipe.enable_model_cpu_offload(device=self.device)
        elif wanted == "sequential":
            pipe.enable_sequential_cpu_offload(device=self.device)
        else:
            pipe.to(self.device)
        return wanted

    def _is_too_large(self) -> bool:
        """Whether the weights and what is reckoned with them have no room on the device."""
        if not self.device.startswith("cuda"):
            return False
        free, _ = self.torch.cuda.mem_get_info(self.device)
        size = sum(each.numel() * each.element_size() for part in self._parts() for each in part.parameters())
        return size > ROOM * free

    def _parts(self) -> Iterator[Any]:
        """The networks of the pipeline."""
        for part in self.pipe.components.values():
            if hasattr(part, "named_modules"):
                yield part

    def _denoisers(self) -> Iterator[Any]:
        for name, part in self.pipe.components.items():
            if name in ("transformer", "transformer_2", "unet") and part is not None:
                yield part

    def _watch(self, part: Any) -> None:
        """Have each block of a network look whether it is still wanted. The part alone would not do: a VAE decodes
        without its own `forward`, and one step of a large transformer takes seconds."""
        containers = getattr(self.torch.nn, "ModuleList", ())
        blocks = [part, *(block for _, each in part.named_modules() if isinstance(each, containers) for block in each)]
        for block in blocks:
            block.register_forward_pre_hook(self._look)

    def _look(self, *_: Any) -> None:
        self._check()

    def _hear_steps(self, pipe: Any) -> None:
        """Every pipeline has a bar for its steps; not every one has a callback."""

        def bar(iterable: Any = None, total: int | None = None) -> Steps:
            return Steps(self, iterable, total)

        pipe.progress_bar = bar

    # -- making ----------------------------------------------------------------------------

    def make(self, order: Json, tell: Callable[[Json], None], check: Callable[[], None]) -> Json:
        """Files and notes. Raises Canceled, Refused, and what the library raises."""
        self._check, self._show, self._glimpsed = check, tell, time.monotonic()
        notes: list[str] = []
        files: list[Json] = []
        try:
            pipe = self._sibling(order["pipeline"])
            count = order["count"]
            for index in range(count):
                self._report = lambda share, index=index: tell({"progress": round((index + share) / count, 4)})
                result = self._made(pipe, order, order["seed"] + index, notes)
                files.append(self._written(result, order, index, notes))
            return {"files": files, "notes": list(dict.fromkeys(notes))}
        finally:
            self._check, self._report, self._show = lambda: None, lambda _: None, lambda _: None

    def _sibling(self, name: str) -> Any:
        """The pipeline of this class over the same networks, which are loaded once."""
        if name not in self._siblings:
            kind = getattr(self.library, name, None)
            if kind is None:
                raise Refused(f"this version of diffusers has no {name}")
            taken = inspect.signature(kind.__init__).parameters
            known = {each: value for each, value in dict(self.pipe.config).items() if is_plain(value)}
            parts = {each: value for each, value in {**known, **self.pipe.components}.items() if each in taken}
            sibling = kind(**parts)
            self._hear_steps(sibling)
            self._siblings[name] = sibling
        return self._siblings[name]

    def _made(self, pipe: Any, order: Json, seed: int, notes: list[str]) -> Any:
        """One picture or clip. What finds no memory is tried again in a way that needs less, while there is one."""
        while True:
            try:
                arguments = self._arguments(pipe, order)
                arguments["generator"] = self.torch.Generator("cpu").manual_seed(seed % SEEDS)
                self._has_stepped = False
                self._check()
                with self.torch.inference_mode():
                    return pipe(**arguments)
            except Exception as error:
                if not self._is_memory(error):
                    raise
                error.__traceback__ = None  # its frames hold tensors
                less = self._needs_less()
                if less is None:
                    raise
                notes.append(f"memory was short: {less}")
            self._free()

    def _arguments(self, pipe: Any, order: Json) -> Json:
        """What the call is given. Raises Refused for what it does not take."""
        taken = inspect.signature(type(pipe).__call__).parameters
        takes_all = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in taken.values())
        arguments: Json = {"prompt": order["prompt"], "num_inference_steps": order["steps"], "output_type": "np"}
        arguments |= order["wishes"]
        width, height = made_size(order)
        arguments |= self._pictures(order, width, height)
        for name in arguments:
            if name not in taken and not takes_all:
                raise Refused(f"{type(pipe).__name__} takes no {name}", name)
        offered = {"width": width, "height": height, **order["more"]}
        if order["frames"] is not None:
            offered |= {"num_frames": made_frames(order), "frame_rate": float(order["fps"])}
        if not getattr(pipe.config, "boundary_ratio", None):
            offered.pop("guidance_scale_2", None)  # for the second of two experts, which these weights do not have
        if order["guider"] is not None and getattr(pipe, "guider", None) is not None:
            pipe.guider = pipe.guider.new(guidance_scale=order["guider"])
        if "callback_on_step_end" in taken and self.settings["preview_seconds"] and self.offload == "none":
            offered["callback_on_step_end"] = partial(self._glimpse, order)
        return {**{name: value for name, value in offered.items() if name in taken or takes_all}, **arguments}

    def _glimpse(self, order: Json, pipe: Any, _step: int, _timestep: Any, given: Json) -> Json:
        """Show what the steps have come to, now and then. What hinders that hinders nothing else."""
        if time.monotonic() - self._glimpsed < self.settings["preview_seconds"]:
            return {}
        try:
            self._show({"glimpse": b64encode(small(decoded(self.torch, pipe, given["latents"], order))).decode()})
            self._glimpsed = time.monotonic()
        except Exception as error:
            print(f"no preview of this job: {trace_of(error)}", file=sys.stderr)
            error.__traceback__ = None  # its frames hold tensors
            self._glimpsed = math.inf
            self._free()
        return {}

    def _pictures(self, order: Json, width: int, height: int) -> Json:
        """The inputs, opened, and in the size in which the pipeline works where it does not see to that itself."""
        found: Json = {}
        for name, given in order["inputs"].items():
            if name == "conditions":
                condition = importlib.import_module("diffusers.pipelines.ltx2.pipeline_ltx2_condition")
                found[name] = [
                    condition.LTX2VideoCondition(frames=covering(opened(each["path"]), width, height), index=each["at"])
                    for each in given
                ]
            elif name == "mask_image":
                found[name] = covering(opened_mask(given[0]["path"], order["polarity"]), width, height)
            else:
                pictures = [opened(each["path"]) for each in given]
                if order["fit"]:
                    pictures = [covering(each, width, height) for each in pictures]
                found[name] = pictures if len(pictures) > 1 else pictures[0]
        return found

    def _written(self, result: Any, order: Json, index: int, notes: list[str]) -> Json:
        """The file of a result, of exactly the size that was asked for."""
        width, height = order["width"], order["height"]
        self._check()
        if order["frames"] is None:
            frames = [as_bytes(result.images[0])]
            path = Path(order["out"]) / f"made-{index}.{order['format']}"
        else:
            frames = result.frames[0][: order["frames"]]
            path = Path(order["out"]) / f"made-{index}.mp4"
        made = frames[0].shape[1], frames[0].shape[0]
        if made != (width, height):
            how = "cut" if is_margin(made, (width, height), order["multiple"]) else "scaled and cut"
            notes.append(f"made at {made[0]}x{made[1]} and {how} to {width}x{height}")
        facts: Json = {"path": str(path), "width": width, "height": height}
        if order["frames"] is None:
            frame = framed(frames[0], width, height, order["multiple"])
            write_picture(path, frame, order["format"], quality=100 if order.get("fine") else 95)
        else:
            asked = made_frames(order)
            if asked != order["frames"]:
                notes.append(f"made {asked} frames and kept {order['frames']}")
            sound = None if order["silent"] else getattr(result, "audio", None)
            rate = self._sound_rate() if sound is not None else 0
            write_clip(path, frames, order, self._check, sound=as_sound(sound), rate=rate)
            facts |= {"frames": len(frames), "seconds": len(frames) / order["fps"], "sound": bool(rate)}
        self._report(1.0)
        return facts

    def _sound_rate(self) -> int:
        return int(self.pipe.vocoder.config.output_sampling_rate)

    # -- trouble ---------------------------------------------------------------------------

    def failure(self, error: BaseException) -> Json:
        """What is told of it. The pipeline goes on being used."""
        if isinstance(error, Canceled):
            return {"canceled": True}
        if isinstance(error, Refused):
            return {"refused": {"message": str(error), "field": error.field}}
        trace = trace_of(error)
        if isinstance(error, Exception) and self._is_memory(error):
            error.__traceback__ = None
            self._free()
            return {"memory": trace, "device": self.device}
        if isinstance(error, ValueError) and not self._has_stepped:
            return {"refused": {"message": first_line(error), "field": None}, "trace": trace}
        if isinstance(error, getattr(self.torch, "AcceleratorError", ())):
            self.is_lost = True
            return {"lost": "the device no longer answers", "trace": trace}
        return {"broken": trace}

    def _is_memory(self, error: Exception) -> bool:
        kinds = (MemoryError, getattr(self.torch, "OutOfMemoryError", MemoryError))
        text = str(error)
        return isinstance(error, kinds) or "can't allocate memory" in text or "out of memory" in text.lower()

    def _needs_less(self) -> str | None:
        """Change what needs most memory, and say what was done; None where nothing is left to change.

        A decoder is given the picture in tiles, then in smaller ones. What finds no room before that is helped by
        nothing but having fewer of the networks on the device at once.
        """
        vae = getattr(self.pipe, "vae", None)
        if self._has_stepped and vae is not None:
            if not getattr(vae, "use_tiling", True):
                self._tile()
                return "decoded in tiles"
            if self._halve_tiles(vae):
                return "decoded in smaller tiles"
        if self.offload == "none" and self.device != "cpu":
            self.pipe.enable_model_cpu_offload(device=self.device)
            self.offload = "model"
            return "one network at a time is on the device"
        return None

    def _tile(self) -> None:
        vae = getattr(self.pipe, "vae", None)
        for name in ("enable_slicing", "enable_tiling"):
            with contextlib.suppress(AttributeError, NotImplementedError):
                getattr(vae, name)()

    def _halve_tiles(self, vae: Any) -> bool:
        known = cast("Json", vars(vae))
        names = [name for name in known if name.startswith(("tile_sample_", "tile_latent_"))]
        sides: dict[str, int] = {name: known[name] for name in names if isinstance(known[name], int)}
        smallest = min((side for name, side in sides.items() if name.startswith("tile_sample_min")), default=0)
        if smallest < 2 * SMALLEST_TILE:
            return False
        for name, side in sides.items():
            if not name.endswith("frames"):
                setattr(vae, name, side // 2)
        return True

    def _free(self) -> None:
        gc.collect()
        if self.device.startswith("cuda"):
            self.torch.cuda.empty_cache()


class Steps:
    """What stands in for the library's progress bar."""

    def __init__(self, maker: Maker, iterable: Any, total: int | None) -> None:
        self._maker, self._iterable = maker, iterable
        self._total = total or (len(iterable) if iterable is not None else 0) or 1
        self._done = 0

    def __enter__(self) -> "Steps":
        return self

    def __exit__(self, *_: object) -> None: ...

    def __iter__(self) -> Iterator[Any]:
        for each in self._iterable:
            yield each
            self.update()

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_args, **_named: None  # whatever else a bar can be told

    def update(self, steps: int = 1) -> None:
        self._done += steps
        self._maker._check()
        self._maker._report((1 - DECODING) * min(self._done / self._total, 1.0))
        self._maker._has_stepped = self._done >= self._total


@contextlib.contextmanager
def noticed() -> Generator[list[str]]:
    """What the library warns of meanwhile."""
    told: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())

    listener = Listener(logging.WARNING)
    log = logging.getLogger("diffusers")
    log.addHandler(listener)
    try:
        yield told
    finally:
        log.removeHandler(listener)


def is_plain(value: object) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["it gave no reason"])[0][:300]


# -- what the steps have come to ---------------------------------------------------------------


def decoded(torch: Any, pipe: Any, latents: Any, order: Json) -> Any:
    """A small frame of what the latents stand for: the first picture, of a clip its middle. As floats from 0 to 1."""
    latents = unpacked(torch, pipe, latents[:1], order)
    is_clip = latents.ndim == 5
    if is_clip:
        latents = latents[:, :, latents.shape[2] // 2]
    height, width = latents.shape[-2:]
    if (scale := GLIMPSE_LATENTS / max(height, width)) < 1:
        size = max(1, round(height * scale)), max(1, round(width * scale))
        latents = torch.nn.functional.interpolate(latents.float(), size=size, mode="area")
    latents = latents.to(pipe.vae.dtype)
    frame = pipe.vae.decode(latents.unsqueeze(2) if is_clip else latents, return_dict=False)[0][0]
    frame = frame[:, 0] if frame.ndim == 4 else frame
    return (frame.float() / 2 + 0.5).permute(1, 2, 0).cpu().numpy()


def unpacked(torch: Any, pipe: Any, latents: Any, order: Json) -> Any:
    """Latents in rows and columns, and of the values that the decoder takes. Several families have a row of patches."""
    vae, (width, height) = pipe.vae, made_size(order)
    if latents.ndim == 3 and hasattr(pipe, "_unpatchify_latents"):  # FLUX.2
        side = 2 * pipe.vae_scale_factor
        latents = latents.transpose(1, 2).reshape(1, -1, height // side, width // side)
        mean, variance = (each.view(1, -1, 1, 1).to(latents) for each in (vae.bn.running_mean, vae.bn.running_var))
        return pipe._unpatchify_latents(latents * torch.sqrt(variance + vae.config.batch_norm_eps) + mean)
    if latents.ndim == 3 and hasattr(pipe, "vae_temporal_compression_ratio"):  # LTX
        side, stretch = pipe.vae_spatial_compression_ratio, pipe.vae_temporal_compression_ratio
        frames = (made_frames(order) - 1) // stretch + 1
        patches = pipe.transformer_spatial_patch_size, pipe.transformer_temporal_patch_size
        latents = pipe._unpack_latents(latents, frames, height // side, width // side, *patches)
    elif latents.ndim == 3:  # FLUX.1, Qwen-Image
        latents = pipe._unpack_latents(latents, height, width, pipe.vae_scale_factor)
    told = {name: value for name, value in dict(vae.config).items() if value is not None}
    measured = {**dict(vae.named_buffers()), **told}
    scaling = measured.get("scaling_factor", 1.0)
    if "latents_mean" not in measured:
        return latents / scaling + measured.get("shift_factor", 0.0)
    shape = (1, -1, *(1,) * (latents.ndim - 2))
    mean, spread = (torch.as_tensor(measured[f"latents_{each}"]).view(shape).to(latents) for each in ("mean", "std"))
    return latents * spread / scaling + mean


def small(frame: Any) -> bytes:
    """A JPEG of a frame."""
    image = importlib.import_module("PIL.Image")
    picture, data = image.fromarray(as_bytes(frame)), io.BytesIO()
    picture.thumbnail((GLIMPSE_PIXELS, GLIMPSE_PIXELS))
    picture.save(data, "JPEG", quality=80)
    return data.getvalue()


# -- sizes -------------------------------------------------------------------------------------


def made_size(order: Json) -> tuple[int, int]:
    """The smallest that the pipeline can make and that holds what was asked for."""
    multiple = order["multiple"]
    return multiple * math.ceil(order["width"] / multiple), multiple * math.ceil(order["height"] / multiple)


def made_frames(order: Json) -> int:
    ratio = order["ratio"]
    return ratio * math.ceil((order["frames"] - 1) / ratio) + 1


def is_margin(made: tuple[int, int], asked: tuple[int, int], multiple: int) -> bool:
    """Whether what is too much is no more than the pipeline's own granularity."""
    return all(0 <= more - less < multiple for more, less in zip(made, asked, strict=True))


def framed(frame: Any, width: int, height: int, multiple: int) -> Any:
    """The middle of a frame, in the size that was asked for."""
    made = frame.shape[1], frame.shape[0]
    if made == (width, height):
        return frame
    if is_margin(made, (width, height), multiple):
        left, top = (made[0] - width) // 2, (made[1] - height) // 2
        return frame[top : top + height, left : left + width]
    numpy, image = importlib.import_module("numpy"), importlib.import_module("PIL.Image")
    return numpy.asarray(covering(image.fromarray(frame), width, height))


def covering(picture: Any, width: int, height: int) -> Any:
    """A picture scaled to fill the frame; what is too wide or too high is cut off evenly."""
    ops = importlib.import_module("PIL.ImageOps")
    return picture if picture.size == (width, height) else ops.fit(picture, (width, height))


# -- files -------------------------------------------------------------------------------------


def opened(path: str) -> Any:
    """A picture as it is shown, without transparency."""
    image, ops = importlib.import_module("PIL.Image"), importlib.import_module("PIL.ImageOps")
    with image.open(path) as source:
        return ops.exif_transpose(source).convert("RGB")


def opened_mask(path: str, polarity: str | None) -> Any:
    """A mask whose white is what is to be made anew."""
    image, ops = importlib.import_module("PIL.Image"), importlib.import_module("PIL.ImageOps")
    with image.open(path) as source:
        shown = ops.exif_transpose(source)
        clear = shown.has_transparency_data
        how = polarity or ("transparent" if clear else "white")
        if how in ("transparent", "opaque") and not clear:
            raise Refused(f"the mask has no transparency, and what is {how} in it is to be made anew", "mask")
        marks = shown.convert("RGBA").getchannel("A") if how in ("transparent", "opaque") else shown.convert("L")
    return ops.invert(marks) if how in ("black", "transparent") else marks


def as_bytes(frame: Any) -> Any:
    """A frame of floats from 0 to 1 as bytes. Raises ArithmeticError for one that is no picture."""
    numpy = importlib.import_module("numpy")
    values = numpy.asarray(frame)
    if not numpy.isfinite(values).all():
        raise ArithmeticError("the pipeline made values that are no numbers: its dtype has too small a range")
    return (values.clip(0, 1) * 255).round().astype("uint8")


def as_sound(sound: Any) -> Any:
    """Sound of a clip as floats, a row for each channel."""
    if sound is None:
        return None
    first: Any = sound[0] if getattr(sound, "ndim", 3) == 3 else sound
    first = first.detach().float().cpu().numpy() if hasattr(first, "detach") else first
    numpy = importlib.import_module("numpy")
    return numpy.atleast_2d(numpy.asarray(first, dtype="float32")).clip(-1, 1)


def write_picture(path: Path, frame: Any, kind: str, *, quality: int = 95) -> None:
    image = importlib.import_module("PIL.Image")
    image.fromarray(frame).save(path, FORMATS[kind], **({"quality": quality} if kind != "png" else {}))


def write_clip(path: Path, frames: Any, order: Json, check: Callable[[], None], *, sound: Any, rate: int) -> None:
    """An MP4 of the frames, turned into bytes one by one: as floats a clip takes gigabytes. What is to be marked, and
    coded again for that, is `fine`."""
    av, numpy = importlib.import_module("av"), importlib.import_module("numpy")
    width, height, fps = order["width"], order["height"], Fraction(order["fps"]).limit_denominator(1001)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        coding = {"crf": "8" if order.get("fine") else "17"}
        if width % 128:  # there x264's trees of macroblocks read memory that nobody wrote (see studio/encoder.py)
            coding["x264-params"] = "mbtree=0"
        stream = container.add_stream("libx264", rate=fps, options=coding)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        voice = container.add_stream("aac", rate=rate, layout="mono" if len(sound) == 1 else "stereo") if rate else None
        for each in frames:
            check()
            frame = numpy.ascontiguousarray(framed(as_bytes(each), width, height, order["multiple"]))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
        if voice is not None:
            most = int(len(frames) / fps * rate)
            cut = numpy.ascontiguousarray(sound[:2, :most])
            piece = av.AudioFrame.from_ndarray(cut, format="fltp", layout="mono" if len(cut) == 1 else "stereo")
            piece.sample_rate, piece.pts = rate, 0
            container.mux(voice.encode(piece))
            container.mux(voice.encode())


if __name__ == "__main__":
    main()
