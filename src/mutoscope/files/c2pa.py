"""Content credentials (C2PA): a signed statement inside a file of what made it and how; writing one, reading one.

`c2pa-python` and `cryptography` come with the extra `credentials`. They are imported when they are needed, because a
server without them serves all the same. The library parses the file in this process: files to be signed are our own,
and files to be read are those that somebody named on the command line. What came in by a request and has a statement of
its own, which goes into ours, is parsed in a child: this module, run as a program.
"""

import datetime
import importlib.util
import io
import os
import resource
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import msgspec
import structlog
from msgspec import Struct

from mutoscope import __version__
from mutoscope.files import _sandbox as sandbox
from mutoscope.model.config import BadSettings
from mutoscope.model.config import Credentials as CredentialSettings
from mutoscope.model.problem import Unavailable, as_unavailable

if TYPE_CHECKING:  # an extra, which need not be there
    from _typeshed import ReadableBuffer  # for type checkers only
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

Json = dict[str, Any]

NEEDED = ("c2pa", "cryptography")
INSTALL = 'pip install "mutoscope[credentials]"'
CERTIFICATE, KEY = "certificate.pem", "key.pem"
YEARS = 20  # without a time stamp of a third party, a file's signature is good as long as its certificate
PROGRAM = "mutoscope"

CREATED, OPENED, EDITED, PLACED = "c2pa.created", "c2pa.opened", "c2pa.edited", "c2pa.placed"
ACTIONS = "c2pa.actions"
SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
ALGORITHM, MODEL = "algorithmicMedia", "trainedAlgorithmicMedia"
COMPOSITE, COMPOSITE_MODEL = "composite", "compositeWithTrainedAlgorithmicMedia"
USED, IGNORED, HELPED = "mutoscope.used", "mutoscope.ignored", "mutoscope.helped"

MEMORY = 3 * 1024**3  # address space of the child
CHILD_SECONDS = 60

log = structlog.get_logger(__name__)

OFFLINE: dict[str, Any] = {
    "builder": {"thumbnail": {"enabled": False}},  # ten times the time and the bytes
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},  # a file does not choose whom we call
}


class Source(Struct, frozen=True, kw_only=True):
    """A given file that is to be seen or heard in what was made of it."""

    path: str
    media_type: str
    title: str  # what it was for


class Making(Struct, frozen=True, kw_only=True):
    """How a file came to be, as its engine tells it."""

    version: str = __version__  # the engine's own, where it has one
    trained: bool = False  # a trained model made it, not rules that people wrote
    helped: tuple[str, ...] = ()  # trained models that helped the rules: found what to cut out, for one
    used: tuple[str, ...] = ()  # words of the prompt that were obeyed
    ignored: tuple[str, ...] = ()
    begun_with: Source | None = None  # what was opened and worked on
    placed: tuple[Source, ...] = ()  # what was added to it; never without what was opened


class Unsigned(Exception):
    """The file got no credentials. The message is for whoever asked for the file; the cause is for the log."""


# -- signing ---------------------------------------------------------------------------


class Identity(NamedTuple):
    """Who signs."""

    algorithm: str  # in C2PA's words
    certificate: bytes  # PEM: its own, then those that vouch for it
    key: bytes  # PEM, PKCS #8


class Signer:
    """Signs files. One for a process; `sign` blocks for some milliseconds and may be called from several threads."""

    def __init__(self, identity: Identity, *, clock: Callable[[], datetime.datetime], required: bool = False) -> None:
        """With `required` what cannot be signed for now waits until it can."""
        self.identity, self.clock, self.required = identity, clock, required
        self.begin, self.end = validity(identity.certificate)

    def sign(self, source: Path | bytes, media_type: str, making: Making, *, engine: str) -> Path | bytes:
        """The same file with its credentials: bytes for bytes, and for a path another beside it. Raises Unsigned, or
        OSError or Unavailable where the system hinders it, as a full disk does: then the job is tried again.

        No two signatures are the same, not even of the same file.
        """
        target: Target | None = None
        try:
            import c2pa

            if media_type not in c2pa.Builder.get_supported_mime_types():
                raise Unsigned(f"{media_type} files cannot carry them")
            self.check_time()
            statement = manifest(making, engine, self.clock())
            if isinstance(source, bytes):
                signed = io.BytesIO()
                write(self.identity, statement, media_type, io.BytesIO(source), signed)
                return signed.getvalue()
            path = source.with_name(f"signed-{source.name}")
            if self._with_statements(statement, media_type, source, path, making):
                return path
            target = Target(path, "w+b")
            with source.open("rb") as unsigned, io.BufferedRandom(target) as buffered:
                write(self.identity, statement, media_type, unsigned, buffered)
            return path
        except Unsigned:
            raise
        except Exception as error:  # the library's own kinds, a wheel that does not load
            if target is not None and target.error and as_unavailable(target.error):
                raise target.error from error
            if as_unavailable(error):
                raise
            raise Unsigned("this file could not be signed; the server's log has the details") from error

    def check_time(self) -> None:
        """A signature of a time at which its certificate is not good is worth nothing."""
        now = self.clock()
        if self.begin <= now <= self.end:
            return
        which = f"behind the certificate, which is good from {self.begin:%Y-%m-%d %H:%M} UTC on"
        if now > self.end:
            which = f"past the certificate, which was good until {self.end:%Y-%m-%d %H:%M} UTC"
        told = f"the server's clock says {now:%Y-%m-%d %H:%M} UTC and is {which}"
        raise Unavailable(f"Files are to be signed, and {told}.") if self.required else Unsigned(told)

    def _with_statements(self, statement: Json, media_type: str, source: Path, path: Path, making: Making) -> bool:
        """Write the file with the statements of what went into it, in a child; whether there were any and that worked.

        Where it did not, the file is signed without them: what went into it is named all the same.
        """
        bearing = {name: each for name, each in sources(making).items() if bears_statement(Path(each.path))}
        if not bearing:
            return False
        order = {
            "identity": [self.identity.algorithm, self.identity.certificate.decode(), self.identity.key.decode()],
            "statement": statement,
            "media_type": media_type,
            "source": str(source.resolve()),
            "target": str(path.resolve()),
            "bearing": {name: [each.media_type, str(Path(each.path).resolve())] for name, each in bearing.items()},
        }
        command = (sys.executable, "-P", "-m", "mutoscope.files.c2pa")
        environment = {"PYTHONPATH": str(Path(__file__).parent.parent)}
        try:
            done = subprocess.run(  # noqa: S603 (our own program, and a path of ours)
                command,
                check=False,
                input=in_json(order),
                capture_output=True,
                text=True,
                env=environment,
                timeout=CHILD_SECONDS,
            )
        except subprocess.TimeoutExpired:
            log.warning("statements_left_out", file=source.name, reason="reading them took too long")
            return False
        if done.returncode:
            log.warning("statements_left_out", file=source.name, reason=done.stderr[-500:])
        return done.returncode == 0


def write(
    identity: Identity,
    statement: Json,
    media_type: str,
    source: BinaryIO,
    target: BinaryIO,
    bearing: Mapping[str, tuple[str, Path]] = MappingProxyType({}),
) -> None:
    """Sign a file. Of the ingredients those that are `bearing` statements, by label, are read for them."""
    import c2pa

    who = c2pa.C2paSignerInfo(
        alg=identity.algorithm.encode(),
        sign_cert=identity.certificate,
        private_key=identity.key,
        ta_url=None,  # pyright: ignore[reportArgumentType] (None is a NULL pointer: nobody stamps the time)
    )
    named: list[Json] = statement.get("ingredients", [])
    statement = statement | {"ingredients": [each for each in named if each["label"] not in bearing]}
    with ExitStack() as held:
        context = held.enter_context(c2pa.Context(c2pa.Settings.from_json(in_json(OFFLINE))))
        signer = held.enter_context(c2pa.Signer.from_info(who))
        builder = held.enter_context(c2pa.Builder(in_json(statement), context))
        for each in named:
            if found := bearing.get(each["label"]):
                file = held.enter_context(found[1].open("rb"))
                builder.add_ingredient(in_json(each), found[0], file)  # pyright: ignore[reportUnknownMemberType]
        builder.sign(signer, media_type, source, target)


def main() -> None:
    """The child: an order in JSON comes in, and the exit code tells whether it was done."""
    import c2pa  # before the sandbox: it loads a library

    order: Json = msgspec.json.decode(sys.stdin.buffer.read())
    source, target = Path(order["source"]), Path(order["target"])
    bearing: dict[str, tuple[str, Path]] = {name: (kind, Path(path)) for name, (kind, path) in order["bearing"].items()}
    bound_memory()
    read = (source, *(path for _, path in bearing.values()), c2pa.__path__[0], "/proc/self")
    sandbox.shut_in([(target.parent, sandbox.WRITE), *((path, sandbox.READ) for path in read)])
    algorithm, certificate, key = order["identity"]
    identity = Identity(algorithm, certificate.encode(), key.encode())
    with source.open("rb") as unsigned, target.open("w+b") as signed:
        write(identity, order["statement"], order["media_type"], unsigned, signed, bearing)


def bound_memory() -> None:
    for which, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, CHILD_SECONDS), (resource.RLIMIT_CORE, 0)):
        with suppress(OSError, ValueError):  # not every system has each of them
            resource.setrlimit(which, (most, most))


class Target(io.FileIO):
    """A file that knows why it could not be written, which the library does not say."""

    error: OSError | None = None

    def write(self, data: "ReadableBuffer", /) -> int | None:
        try:
            return super().write(data)
        except OSError as error:
            self.error = error
            raise


def signer(
    settings: CredentialSettings,
    folder: Path,
    *,
    clock: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
) -> Signer | None:
    """Whoever signs here: the operator's certificate, or our own in `folder`, made at first start.

    None where the settings switch it off, or leave it to packages that are not there. Raises BadSettings.
    """
    if settings.enabled is False:
        return None
    if lacking := missing():
        if settings.enabled is True or settings.certificate:
            raise BadSettings(f"[credentials] asks for signed files, and {lacking} is not installed: {INSTALL}")
        return None
    if settings.certificate or settings.key:
        identity = operators(settings)
    else:
        if not folder.is_dir():
            make_identity(folder, clock())
        identity = Identity("es256", (folder / CERTIFICATE).read_bytes(), (folder / KEY).read_bytes())
    made = Signer(identity, clock=clock, required=settings.enabled is True)
    if made.required and clock() > made.end:
        raise BadSettings(
            f"[credentials] asks for signed files, and the certificate was good until {made.end:%Y-%m-%d}"
        )
    return made


def validity(chain: bytes) -> tuple[datetime.datetime, datetime.datetime]:
    """From when until when all certificates are good."""
    from cryptography import x509

    found = x509.load_pem_x509_certificates(chain)
    return max(each.not_valid_before_utc for each in found), min(each.not_valid_after_utc for each in found)


def in_json(value: Json) -> str:
    return msgspec.json.encode(value).decode()


def missing() -> str | None:
    """The first package of the extra that is not installed."""
    return next((name for name in NEEDED if importlib.util.find_spec(name) is None), None)


def manifest(making: Making, engine: str, now: datetime.datetime) -> Json:
    """What is stated of a file, as c2pa-python takes it.

    What was made of nothing but words is created; what began with a given file was opened and edited, and is put
    together of that and of what was made.
    """
    edited = making.begun_with is not None
    kinds = (COMPOSITE_MODEL, COMPOSITE) if edited else (MODEL, ALGORITHM)
    action = {
        "action": EDITED if edited else CREATED,
        "when": now.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "digitalSourceType": SOURCES + kinds[0 if making.trained else 1],
        "softwareAgent": {"name": f"{PROGRAM} {engine}", "version": making.version},
        "parameters": {USED: list(making.used), IGNORED: list(making.ignored)}
        | ({HELPED: list(making.helped)} if making.helped else {}),
    }
    named = sources(making)
    opened = [acted(OPENED, name) for name, each in named.items() if each is making.begun_with]
    placed = [acted(PLACED, name) for name, each in named.items() if each is not making.begun_with]
    return {
        "claim_generator_info": [{"name": PROGRAM, "version": __version__}],
        "assertions": [{"label": f"{ACTIONS}.v2", "data": {"actions": [*opened, action, *placed]}}],
        "ingredients": [
            {
                "title": each.title,
                "format": each.media_type,
                "label": name,
                "relationship": "parentOf" if each is making.begun_with else "componentOf",
            }
            for name, each in named.items()
        ],
    }


def acted(action: str, name: str) -> Json:
    return {"action": action, "parameters": {"ingredientIds": [name]}}


def sources(making: Making) -> dict[str, Source]:
    """What went into it, each by a name of its own: two pictures that were for the same have the same title."""
    named: dict[str, Source] = {}
    for each in (*((making.begun_with,) if making.begun_with else ()), *making.placed):
        same = sum(other.title == each.title for other in named.values())
        named[f"{each.title}-{same + 1}" if same else each.title] = each
    return named


# -- who signs ----------------------------------------------------------------------------


def make_identity(folder: Path, now: datetime.datetime) -> None:
    """A key, and a certificate that vouches for it. Several processes may try at once; one of them wins.

    The certificate is signed by an authority whose own key is forgotten here: nobody can make another.
    """
    fresh = folder.with_name(f"{folder.name}-{secrets.token_hex(4)}")
    fresh.mkdir(mode=0o700, parents=True)
    certificate, key = issued(now)
    write_private(fresh / CERTIFICATE, certificate)
    write_private(fresh / KEY, key)
    try:
        fresh.rename(folder)
    except OSError:
        shutil.rmtree(fresh)
        if not (folder / KEY).is_file():
            raise


def write_private(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)


def issued(now: datetime.datetime) -> tuple[bytes, bytes]:
    """A certificate with its authority's, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    serial = secrets.token_hex(4)  # tells the certificates of two servers apart
    root = (
        unfinished(f"{PROGRAM} authority {serial}", f"{PROGRAM} authority {serial}", now)
        .public_key(authority.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), critical=False)
        .sign(authority, hashes.SHA256())
    )
    leaf = (
        unfinished(f"{PROGRAM} {serial}", f"{PROGRAM} authority {serial}", now)
        .public_key(own.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=True), critical=True)
        # C2PA takes a certificate for one of a few purposes only; this is the one that anybody may state.
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
        .sign(authority, hashes.SHA256())
    )
    return pem(leaf) + pem(root), pkcs8(own)


def unfinished(subject: str, issuer: str, now: datetime.datetime) -> "x509.CertificateBuilder":
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # clocks differ
        .not_valid_after(now + datetime.timedelta(days=365 * YEARS))
    )


def named(common_name: str) -> "x509.Name":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, PROGRAM),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def pem(certificate: "x509.Certificate") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def pkcs8(key: "PrivateKeyTypes") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def operators(settings: CredentialSettings) -> Identity:
    """The operator's certificate and key, held against each other. Raises BadSettings."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    if not (settings.certificate and settings.key):
        raise BadSettings("[credentials] certificate and key go together: one of the two is set alone")
    certificate, key = Path(settings.certificate).expanduser(), Path(settings.key).expanduser()
    read = certificate
    try:
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        read = key
        private = load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:  # TypeError: a password is needed
        raise BadSettings(f"[credentials] {read}: {error}") from error
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if chain[0].public_key().public_bytes(*form) != private.public_key().public_bytes(*form):  # pyright: ignore[reportAttributeAccessIssue]
        raise BadSettings(f"[credentials] {key} is not the key of the first certificate in {certificate}")
    return Identity(algorithm_of(private, key), b"".join(pem(each) for each in chain), pkcs8(private))


def algorithm_of(key: "PrivateKeyTypes", path: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    curves = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in curves:
        return curves[key.curve.name]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    raise BadSettings(f"[credentials] {path}: C2PA knows ECDSA (P-256, P-384, P-521), Ed25519 and RSA keys only")


# -- reading --------------------------------------------------------------------------------


class Verdict(StrEnum):
    """What becomes of the statement when it is checked."""

    VALID = "valid"  # nothing was changed, and the signer is one that is trusted here
    UNTRUSTED = "untrusted"  # nothing was changed; who signed it, nobody here can say
    ALTERED = "altered"  # the file or the statement is not what was signed
    INVALID = "invalid"  # not made by the rules, or its time has passed


ALTERED_CODES = ("mismatch", "assertion.missing", "claimSignature.missing", "claim.cbor.invalid", "claim.missing")


class Statement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a file says of its making, and whether that can be believed."""

    verdict: Verdict
    flaws: tuple[str, ...] = ()  # C2PA's codes for what is wrong with it
    generator: str | None = None  # the program that wrote the statement
    engine: str | None = None  # what made the file
    version: str | None = None  # of what made it
    action: str | None = None
    source_type: str | None = None  # the last part of IPTC's address for it
    signer: str | None = None
    time: str | None = None  # when it was made, as stated
    used: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    helped: tuple[str, ...] = ()  # trained models that did a part of the work
    made_of: tuple[str, ...] = ()  # the files that went into it, as they are named in it


def read(path: Path, media_type: str, *, anchors: Iterable[Path] = ()) -> Statement | None:
    """The statement in a file, checked; None when there is none. `anchors` are the certificates to trust.

    Only what the file itself holds is looked at: nothing is fetched. Raises ImportError without the extra.
    """
    import c2pa

    settings: dict[str, Any] = {"verify": {**OFFLINE["verify"], "verify_trust": True}}
    if trusted := "".join(each.read_text() for each in anchors):
        settings["trust"] = {"user_anchors": trusted}
    if media_type not in c2pa.Reader.get_supported_mime_types():
        return None
    try:
        with (
            path.open("rb") as file,
            c2pa.Context(c2pa.Settings.from_json(in_json(settings))) as context,
            c2pa.Reader(media_type, file, context=context) as reader,
        ):
            return as_statement(msgspec.json.decode(reader.json(), type=Report))
    except c2pa.C2paError as error:
        if str(error).startswith("ManifestNotFound") or not bears_statement(path):
            return None
        # There was a statement once, and it cannot be read any more.
        return Statement(verdict=Verdict.ALTERED, flaws=(str(error)[:200],))


def bears_statement(path: Path) -> bool:
    """Whether there is anything of a statement in a file, by its bytes alone; in parts, to let others have a turn."""
    before = b""
    with path.open("rb") as file:
        while part := file.read(PART):
            if any(mark in before + part for mark in MARKS):
                return True
            before = part[-LONGEST_MARK:]
    return False


PART = 256 * 1024
MARKS = (b"jumdc2", b"c2pa.claim")
LONGEST_MARK = max(map(len, MARKS))


class Agent(Struct):
    name: str | None = None
    version: str | None = None


class Parameters(Struct, rename={"used": USED, "ignored": IGNORED, "helped": HELPED}):
    used: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    helped: tuple[str, ...] = ()


class Action(Struct, rename="camel"):
    action: str | None = None
    when: str | None = None
    digital_source_type: str | None = None
    software_agent: Agent | str | None = None
    parameters: Parameters | None = None


class Assertion(Struct):
    label: str = ""
    data: Any = None


class Signature(Struct):
    common_name: str | None = None
    issuer: str | None = None
    time: str | None = None


class Ingredient(Struct):
    title: str | None = None
    active_manifest: str | None = None  # of its own statement


class Manifest(Struct):
    ingredients: tuple[Ingredient, ...] = ()
    claim_generator_info: tuple[Agent, ...] | None = None
    claim_generator: str | None = None
    assertions: tuple[Assertion, ...] = ()
    signature_info: Signature | None = None


class Found(Struct):
    code: str


class Report(Struct):
    """What c2pa says of a file, so far as we need it."""

    validation_state: str | None = None
    validation_status: tuple[Found, ...] = ()
    active_manifest: str | None = None
    manifests: dict[str, Manifest] = {}


def as_statement(report: Report) -> Statement:
    """A report in few words: the newest manifest, and the first action in it that says who did it."""
    active = report.manifests.get(report.active_manifest or "", Manifest())
    generator = next(iter(active.claim_generator_info or ()), Agent(active.claim_generator))
    action = first_action(active)
    agent = action.software_agent
    agent = Agent(agent) if isinstance(agent, str) else agent or Agent()
    parameters = action.parameters or Parameters()
    signature = active.signature_info or Signature()
    flaws = tuple(dict.fromkeys(each.code for each in report.validation_status))
    return Statement(
        verdict=verdict(report.validation_state, flaws),
        flaws=flaws,
        generator=joined(generator.name, generator.version),
        engine=agent.name,
        version=agent.version,
        action=action.action,
        source_type=(action.digital_source_type or "").rpartition("/")[2] or None,
        signer=joined(signature.common_name, f"({signature.issuer})" if signature.issuer else None),
        time=signature.time or action.when,
        used=parameters.used,
        ignored=parameters.ignored,
        helped=parameters.helped,
        made_of=tuple(called(each, report) for each in active.ingredients),
    )


def called(ingredient: Ingredient, report: Report) -> str:
    """What it was for, and the program that made its own statement, where it has one."""
    own = report.manifests.get(ingredient.active_manifest or "")
    generator = next(iter(own.claim_generator_info or ()), Agent(own.claim_generator)) if own else Agent()
    told = joined(generator.name, generator.version) or "another program"
    return joined(ingredient.title or "a file", f"(with credentials by {told})" if own else None) or ""


class Actions(Struct):
    actions: tuple[Action, ...] = ()


def first_action(active: Manifest) -> Action:
    data = next((each.data for each in active.assertions if each.label.startswith(ACTIONS)), None)
    try:
        actions = msgspec.convert(data, Actions).actions
        return next((each for each in actions if each.software_agent), next(iter(actions), Action()))
    except msgspec.ValidationError:  # in another program's words
        return Action()


def verdict(state: str | None, flaws: tuple[str, ...]) -> Verdict:
    if state == "Trusted":
        return Verdict.VALID
    if state == "Valid":
        return Verdict.UNTRUSTED
    altered = any(code.endswith(ALTERED_CODES) for code in flaws)
    return Verdict.ALTERED if altered else Verdict.INVALID


def joined(*parts: str | None) -> str | None:
    return " ".join(part for part in parts if part) or None


if __name__ == "__main__":
    main()
