"""Every environment variable, read once, validated, secrets masked. `VARIABLES` is the documented list."""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, get_args
from urllib.parse import urlsplit

from corpus_pipeline import secret_words
from corpus_pipeline.addresses import is_loopback
from corpus_pipeline.errors import UsageError

MIN_SECRET = 16  # characters of what no one may guess


class Variable(NamedTuple):
    """One environment variable: what it sets and what holds without it."""

    name: str
    default: str
    meaning: str
    secret: bool = False


VARIABLES = (
    Variable("CORPUS_HOME", ".corpus", "folder of the database, exports, Dagster storage and logs (mode 0700)"),
    Variable(
        "CORPUS_DATABASE_URL",
        "SQLite in CORPUS_HOME",
        "postgresql+psycopg://user:password@host/database or mysql+pymysql://user:password@host/database",
        secret=True,
    ),
    Variable(
        "CORPUS_DATABASE_CONNECTIONS",
        "15",
        "the most connections to a database server that one process opens (from 4 on)",
    ),
    Variable(
        "CORPUS_DATABASE_IDLE_SECONDS",
        "600",
        "after how long the database server closes a connection that lies idle (from 10 on; PostgreSQL 14 or newer)",
    ),
    Variable("CORPUS_EXPORT_URL", "a folder in CORPUS_HOME", "folder, or s3://bucket/prefix"),
    Variable("CORPUS_S3_ENDPOINT_URL", "AWS", "endpoint of any S3-compatible store; keys come from AWS_*"),
    Variable(
        "CORPUS_S3_ADDRESSING",
        "auto",
        "where the bucket stands: path, virtual (BUCKET.ENDPOINT), or auto: virtual where the store asks for it",
    ),
    Variable("CORPUS_INBOX", "inbox in CORPUS_HOME", "folder that the Dagster sensor watches for new dataset files"),
    Variable("CORPUS_DOWNLOAD_GIB", "100", "the largest file that is copied from an s3://, https:// or hf:// address"),
    Variable(
        "HF_TOKEN",
        "none",
        "your token for datasets that are not public; HF_ENDPOINT names another server than huggingface.co",
        secret=True,
    ),
    Variable("CORPUS_LEASE_SECONDS", "30", "how long a crashed worker's lease keeps others out"),
    Variable(
        "CORPUS_ANSWER_READER",
        "auto",
        "whether a process of its own sends calls and reads answers, which then survive a kill of the worker: always, never, or"
        " auto: from 200 samples on",
    ),
    Variable(
        "CORPUS_HOST",
        "its host name",
        "the name of this machine in leases, events, reports and logs: each machine, or container, has another one",
    ),
    Variable(
        "CORPUS_STOP_GRACE_SECONDS",
        "20",
        "how long calls in flight may take to end after SIGTERM or Terminate in Dagster",
    ),
    Variable(
        "CORPUS_PROGRESS_SECONDS", "30", "how often a long stage says how far it is, in Dagster and without a terminal"
    ),
    Variable(
        "CORPUS_DAGSTER_HOME",
        "dagster in CORPUS_HOME",
        "folder of Dagster's instance; its dagster.yaml may be your own",
    ),
    Variable("CORPUS_DAGSTER_CONFIG", "none", "YAML file whose top keys take the place of those of our dagster.yaml"),
    Variable(
        "CORPUS_DAGSTER_DATABASE_URL",
        "SQLite",
        "Dagster's own history on a server: postgresql+psycopg2://... or mysql+pymysql://...",
        secret=True,
    ),
    Variable(
        "CORPUS_CELERY_BROKER",
        "none",
        "runs of Dagster are worked by `corpus worker --celery` on any host: redis://host:6379/0 or amqp://...",
        secret=True,
    ),
    Variable(
        "CORPUS_DAGSTER_RETENTION_DAYS", "0", "finished runs and their events are removed after so many days; 0: never"
    ),
    Variable(
        "CORPUS_BACKFILL_HOLD_HOURS", "24", "how long a Dagster backfill waits for a paused partition to be resumed"
    ),
    Variable(
        "CORPUS_FRESH_HOURS",
        "24",
        "how long a consumer's files may be unfinished before Dagster shows its training data as overdue; 0: for ever",
    ),
    Variable(
        "CORPUS_AUTOMATE",
        "none",
        "stages that Dagster starts by itself, comma-separated: ingest, clean, export; augment only under a budget",
    ),
    Variable("CORPUS_LOG", "text", "json: what is said on stderr is one JSON document a line"),
    Variable(
        "CORPUS_PARTITIONS_PER_RUN", "1", "partitions that one run of a Dagster backfill works: 20 for many small files"
    ),
    Variable("CORPUS_INDEX", "1", "0: the row browser makes no search index by itself; `corpus index` does"),
    Variable(
        "CORPUS_SIGNING_KEY", "none", "ed25519 key in a PEM file (mode 0600) by which `corpus attest` signs exports"
    ),
    Variable(
        "CORPUS_WEB_TOKEN",
        "a new one at each start",
        "token of the first address of `corpus serve` and `corpus ui` without a login, 16 characters or more",
        secret=True,
    ),
    Variable(
        "CORPUS_PROXY_SECRET",
        "none",
        "what a trusted proxy sends as X-Corpus-Proxy-Secret beside the name of the user, 16 characters or more",
        secret=True,
    ),
    Variable("CORPUS_OIDC_ISSUER", "none", "OpenID Connect provider by which people log in with --oidc: https://..."),
    Variable("CORPUS_OIDC_CLIENT_ID", "none", "the name of this server there"),
    Variable("CORPUS_OIDC_CLIENT_SECRET", "none", "its secret there; none for a public client", secret=True),
    Variable("CORPUS_OIDC_ROLES", "none", "GROUP=ROLE, comma-separated: curators=reviewer, owners=admin, *=viewer"),
    Variable("CORPUS_OIDC_ROLE_CLAIM", "groups", "the claim of the ID token that names groups"),
    Variable("CORPUS_OIDC_SCOPE", "openid email profile", "what the provider is asked for"),
    Variable(
        "CORPUS_OIDC_SESSION_MINUTES",
        "60",
        "after so many minutes the provider is asked again who somebody is: who was removed there is out then",
    ),
    Variable("CORPUS_WEB_URL", "http://127.0.0.1:8787", "where `corpus serve` can be reached, for links in Dagster"),
    Variable("CORPUS_DAGSTER_URL", "none", "where Dagster's UI can be reached, for links to runs in the row browser"),
    Variable("OPENAI_API_KEY", "none", "key of the model provider", secret=True),
    Variable("OPENAI_BASE_URL", "https://api.openai.com/v1", "any OpenAI-compatible endpoint"),
    Variable(
        "CORPUS_ENDPOINTS", "endpoints.yaml in CORPUS_HOME, if any", "further endpoints by name: a YAML file, or YAML"
    ),
    Variable("CORPUS_CA_FILE", "SSL_CERT_FILE", "authorities in PEM format that are trusted beside the public ones"),
    Variable("SSL_CERT_FILE", "none", "the same, by the name that other programs know; REQUESTS_CA_BUNDLE as well"),
    Variable("HTTPS_PROXY", "none", "HTTP proxy for model providers: http://host:port", secret=True),
    Variable("NO_PROXY", "none", "hosts that are reached without the proxy, comma-separated; * is all"),
    Variable("CORPUS_PRIVATE_HOSTS", "none", "hosts of your own network that may serve models, comma-separated"),
    Variable(
        "CORPUS_WEBHOOK_HOSTS",
        "none",
        "HOST or HOST:PORT that recipes may notify, comma-separated",
    ),
    Variable("CORPUS_WEBHOOK_SECRET", "none", "signs webhooks (HMAC-SHA256)", secret=True),
    Variable("CORPUS_MODEL", "none", "the model of recipes that name none"),
)


def host_name(env: Mapping[str, str] | None = None) -> str:
    """The name of this machine for people and leases (at most 48 characters). Raises UsageError for one that cannot be."""
    name = (os.environ if env is None else env).get("CORPUS_HOST") or socket.gethostname()[:48]
    if not re.fullmatch(r"[\w.-]{1,48}", name):
        raise UsageError(f"CORPUS_HOST must be up to 48 letters, digits, '.', '_' and '-', not {name!r}")
    return name


@dataclass(frozen=True)
class Oidc:
    """An OpenID Connect provider. roles: (group, role) in order; the group `*` is everybody whom the provider knows."""

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    roles: tuple[tuple[str, str], ...]
    role_claim: str = "groups"
    scope: str = "openid email profile"
    session_seconds: float = 3600.0  # after a login, until the provider is asked again


@dataclass(frozen=True)
class Settings:
    """Validated settings. Build with `Settings.from_env()`; secrets are left out of `repr`."""

    home: Path
    database_url: str = field(repr=False)
    export_url: str
    s3_endpoint_url: str | None
    inbox: Path
    lease_seconds: float
    web_url: str
    openai_api_key: str | None = field(repr=False)
    openai_base_url: str | None
    model: str | None
    s3_addressing: Literal["auto", "path", "virtual"] = "auto"
    database_connections: int = 15
    database_idle_seconds: int = 600
    private_hosts: tuple[str, ...] = ()
    webhook_hosts: tuple[str, ...] = ()
    webhook_secret: str | None = field(default=None, repr=False)
    web_token: str | None = field(default=None, repr=False)
    proxy_secret: str | None = field(default=None, repr=False)
    oidc: Oidc | None = None
    signing_key: Path | None = None
    partitions_per_run: int = 1
    stop_grace_seconds: float = 20.0
    answer_reader: Literal["auto", "always", "never"] = "auto"
    progress_seconds: float = 30.0
    log_json: bool = False
    automate: tuple[str, ...] = ()
    dagster_folder: Path | None = None
    dagster_config: Path | None = None
    dagster_database: str | None = None  # its kind; the address stays in the environment
    celery_broker: str | None = field(default=None, repr=False)
    dagster_retention_days: int = 0
    fresh_hours: int = 24
    backfill_hold_hours: int = 24
    index: bool = True
    hub_token: str | None = field(default=None, repr=False)
    hub_endpoint: str = "https://huggingface.co"
    download_limit: int = 100 << 30  # bytes of one file
    endpoints: str | None = field(default=None, repr=False)
    endpoint_variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # those that `endpoints` names
    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)
    no_proxy: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the environment. Raises UsageError that names the variable at fault."""
        env = os.environ if env is None else env
        home = Path(env.get("CORPUS_HOME") or ".corpus").expanduser().absolute()
        endpoints = _endpoints(env.get("CORPUS_ENDPOINTS"), home)
        private_hosts = _names(env.get("CORPUS_PRIVATE_HOSTS"))
        return cls(
            home=home,
            database_url=_database_url(env.get("CORPUS_DATABASE_URL") or f"sqlite:///{home / 'corpus.db'}"),
            # from 4 on: a stage writes, renews its lease, tells how far it is and looks for a pause at the same time
            database_connections=_between("CORPUS_DATABASE_CONNECTIONS", env, "15", 4, 1000),
            database_idle_seconds=_between("CORPUS_DATABASE_IDLE_SECONDS", env, "600", 10, 604_800),
            export_url=_export_url(env.get("CORPUS_EXPORT_URL") or str(home / "exports")),
            s3_endpoint_url=_s3_endpoint(env.get("CORPUS_S3_ENDPOINT_URL"), private_hosts),
            s3_addressing=_addressing(env.get("CORPUS_S3_ADDRESSING") or "auto"),
            inbox=Path(env.get("CORPUS_INBOX") or home / "inbox").expanduser().absolute(),
            lease_seconds=_positive("CORPUS_LEASE_SECONDS", env.get("CORPUS_LEASE_SECONDS") or "30"),
            web_url=(env.get("CORPUS_WEB_URL") or "http://127.0.0.1:8787").rstrip("/"),
            web_token=_secret("CORPUS_WEB_TOKEN", env),
            oidc=_oidc(env),
            signing_key=_path(env.get("CORPUS_SIGNING_KEY")),
            proxy_secret=_secret("CORPUS_PROXY_SECRET", env),
            openai_api_key=env.get("OPENAI_API_KEY") or None,
            openai_base_url=env.get("OPENAI_BASE_URL") or None,
            model=env.get("CORPUS_MODEL") or None,
            private_hosts=private_hosts,
            webhook_hosts=_names(env.get("CORPUS_WEBHOOK_HOSTS")),
            webhook_secret=env.get("CORPUS_WEBHOOK_SECRET") or None,
            partitions_per_run=_between("CORPUS_PARTITIONS_PER_RUN", env, "1", 1, 1000),
            answer_reader=_reader(env.get("CORPUS_ANSWER_READER") or "auto"),
            stop_grace_seconds=_positive("CORPUS_STOP_GRACE_SECONDS", env.get("CORPUS_STOP_GRACE_SECONDS") or "20"),
            progress_seconds=_positive("CORPUS_PROGRESS_SECONDS", env.get("CORPUS_PROGRESS_SECONDS") or "30"),
            automate=_stages(env.get("CORPUS_AUTOMATE")),
            log_json=_log_format(env.get("CORPUS_LOG") or "text") == "json",
            dagster_folder=_path(env.get("CORPUS_DAGSTER_HOME")),
            dagster_config=_path(env.get("CORPUS_DAGSTER_CONFIG")),
            dagster_database=_dagster_database(env.get("CORPUS_DAGSTER_DATABASE_URL")),
            celery_broker=env.get("CORPUS_CELERY_BROKER") or None,
            dagster_retention_days=_whole("CORPUS_DAGSTER_RETENTION_DAYS", "days", env, "0"),
            backfill_hold_hours=_whole("CORPUS_BACKFILL_HOLD_HOURS", "hours", env, "24"),
            fresh_hours=_whole("CORPUS_FRESH_HOURS", "hours", env, "24"),
            hub_token=(env.get("HF_TOKEN") or "").strip() or None,
            hub_endpoint=(env.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/"),
            download_limit=_gibibytes(env.get("CORPUS_DOWNLOAD_GIB") or "100"),
            index=env.get("CORPUS_INDEX") != "0",
            endpoints=endpoints,
            endpoint_variables=tuple((name, env[name]) for name in _names_in(endpoints) if env.get(name)),
            ca_file=_ca_file(env),
            proxy=_proxy(env.get("HTTPS_PROXY") or env.get("https_proxy")),
            no_proxy=_names(env.get("NO_PROXY") or env.get("no_proxy")),
        )

    def make_home(self) -> Path:
        """Create the home folder, readable by its owner only; one of ours that was made open is closed. Raises UsageError, also
        when others may put files into it: a volume that belongs to another user may be written by a group of ours alone."""
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"CORPUS_HOME {self.home} cannot be made: {error.strerror}. Set another folder."
            ) from error
        found = self.home.stat()
        if found.st_uid == os.geteuid() and found.st_mode & 0o077 and not found.st_mode & stat.S_ISVTX:  # not a /tmp
            with suppress(OSError):  # what stays open is judged below
                self.home.chmod(stat.S_IMODE(found.st_mode) & ~0o077)
            found = self.home.stat()
        elif found.st_uid != os.geteuid() and found.st_gid not in (os.getegid(), *os.getgroups()):
            self._refuse_writers(found.st_mode, 0o022)
        self._refuse_writers(found.st_mode, 0o002)
        return self.home

    def _refuse_writers(self, mode: int, bits: int) -> None:
        if mode & bits:
            raise UsageError(
                f"CORPUS_HOME {self.home} can be written by others (mode {stat.S_IMODE(mode):o}): they could change it."
                f" Set a folder of your own, or let its owner run: chmod go-w {self.home}"
            )

    def proxy_for(self, host: str) -> str | None:
        """The proxy by which a host is reached; None: directly, as everything on this machine is."""
        host = host.lower().rstrip(".")
        if host == "localhost" or host.startswith(("127.", "::1")):
            return None
        direct = any(
            name == "*" or host == name.lstrip("*.") or host.endswith("." + name.lstrip("*.")) for name in self.no_proxy
        )
        return None if direct else self.proxy

    @property
    def work_folder(self) -> Path:
        """Where unfinished files lie; nothing in it is needed for correctness."""
        return self.home / "work"

    @property
    def spool_folder(self) -> Path:
        """Where paid answers lie until they are committed: the next start collects what a kill left there."""
        return self.home / "spool"

    @property
    def search_folder(self) -> Path:
        """Where the search index lies; it is made again when it is not there."""
        return self.home / "search"

    @property
    def downloads_folder(self) -> Path:
        """Where copies of dataset files lie that were added by an address."""
        return self.home / "downloads"

    @property
    def price_file(self) -> Path:
        """The price list that `corpus prices update` took over; without it, the package's holds."""
        return self.home / "prices.json"

    @property
    def dagster_home(self) -> Path:
        """Where Dagster's instance lies."""
        return self.dagster_folder or self.home / "dagster"


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in (text or "").split(",") if name.strip())


def _endpoints(said: str | None, home: Path) -> str | None:
    """The YAML text that names endpoints."""
    if said and ((":" in said and "\n" in said) or said.lstrip().startswith("{")):
        return said
    path = Path(said).expanduser() if said else home / "endpoints.yaml"
    if not said and not path.is_file():
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"CORPUS_ENDPOINTS {path} cannot be read: {error}. Name a YAML file.") from error


def _names_in(endpoints: str | None) -> list[str]:
    """What may be the name of a variable in the text that names endpoints."""
    return sorted(set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", endpoints or "")))


def _ca_file(env: Mapping[str, str]) -> str | None:
    name = next((n for n in ("CORPUS_CA_FILE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE") if env.get(n)), None)
    if name is None:
        return None
    if name == "CORPUS_CA_FILE" and not Path(env[name]).expanduser().is_file():
        raise UsageError(f"CORPUS_CA_FILE {env[name]!r} is no file. Name a file with certificates in PEM format.")
    path = Path(env[name]).expanduser()
    return str(path) if path.is_file() else None


def _proxy(text: str | None) -> str | None:
    if not text:
        return None
    parts = urlsplit(text if "://" in text else f"http://{text}")
    if parts.scheme != "http" or not parts.hostname:
        raise UsageError(f"HTTPS_PROXY {masked_url(text)!r} is no address of an HTTP proxy. Use http://HOST:PORT")
    return parts.geturl()


def masked_url(url: str) -> str:
    """A URL without its password, for messages.

    Everything between the first colon and the last `@` is masked, whatever it holds: as drivers read it, and no less when
    the text cannot be read at all. The user name is shown for databases only: elsewhere tokens stand in its place, with or
    without a password. Masked are passwords, keys and signatures among the parameters, too.
    """
    return secret_words.without_parameters(secret_words.without_users(url))


_DATABASES = ("sqlite:///", "mysql+pymysql://", "mariadb+pymysql://", "postgresql+psycopg://", "postgresql://")


def _database_url(url: str) -> str:
    if not url.startswith(_DATABASES):
        raise UsageError(
            f"CORPUS_DATABASE_URL {masked_url(url)!r} is of no known kind. Use sqlite:///PATH,"
            " mysql+pymysql://USER:PASSWORD@HOST/DATABASE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
        )
    return url


def _export_url(url: str) -> str:
    if "://" in url and not url.startswith(("s3://", "file://")):
        raise UsageError(f"CORPUS_EXPORT_URL {url!r} is of no known kind. Use a folder or s3://BUCKET/PREFIX")
    if url.startswith("s3://"):
        return url
    return str(Path(url.removeprefix("file://")).expanduser().absolute())


def _s3_endpoint(url: str | None, private_hosts: tuple[str, ...]) -> str | None:
    """The address of an object store: by https, but on this machine or where a host of one's own network is named."""
    if not url:
        return None
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    own = host in private_hosts or is_loopback(host)
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError("CORPUS_S3_ENDPOINT_URL is no address. Give https://HOST[:PORT].")
    if parts.scheme == "http" and not own:
        raise UsageError(
            f"CORPUS_S3_ENDPOINT_URL speaks http to {host}: rows would go in the clear. Use https, or name {host} in"
            " CORPUS_PRIVATE_HOSTS when it is a host of your own network."
        )
    return url


def _reader(text: str) -> Literal["auto", "always", "never"]:
    for known in get_args(Literal["auto", "always", "never"]):
        if text.strip().lower() == known:
            return known
    raise UsageError(f"CORPUS_ANSWER_READER is '{text}'; it must be auto, always or never")


def _addressing(text: str) -> Literal["auto", "path", "virtual"]:
    for known in get_args(Literal["auto", "path", "virtual"]):
        if text == known:
            return known
    raise UsageError(f"CORPUS_S3_ADDRESSING must be auto, path or virtual, not {text!r}")


def _between(name: str, env: Mapping[str, str], default: str, least: int, most: int) -> int:
    text = env.get(name) or default
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise UsageError(f"{name} must be a whole number between {least} and {most}, not {text!r}")
    return int(text)


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser().absolute() if text else None


def _dagster_database(url: str | None) -> str | None:
    if not url:
        return None
    kind = url.partition(":")[0].partition("+")[0]
    if kind not in ("postgresql", "mysql"):
        raise UsageError(
            f"CORPUS_DAGSTER_DATABASE_URL {masked_url(url)!r} is of no known kind."
            " Use postgresql+psycopg2://USER:PASSWORD@HOST/DATABASE or mysql+pymysql://..."
        )
    return kind


def _whole(name: str, unit: str, env: Mapping[str, str], default: str) -> int:
    text = env.get(name) or default
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 36_500):
        raise UsageError(f"{name} must be a whole number of {unit}, not {text!r}")
    return int(text)


def _gibibytes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 1_000_000):
        raise UsageError(f"CORPUS_DOWNLOAD_GIB must be a whole number of GiB, not {text!r}")
    return int(text) << 30


def _stages(text: str | None) -> tuple[str, ...]:
    known = ("ingest", "clean", "augment", "export")
    found = _names(text)
    if wrong := [name for name in found if name not in known]:
        raise UsageError(f"CORPUS_AUTOMATE: there is no stage {wrong[0]!r}; the stages are {', '.join(known)}")
    return found


def _log_format(text: str) -> str:
    if text not in ("text", "json"):
        raise UsageError(f"CORPUS_LOG must be text or json, not {text!r}")
    return text


def _secret(name: str, env: Mapping[str, str]) -> str | None:
    text = (env.get(name) or "").strip()
    if text and (len(text) < MIN_SECRET or not text.isascii() or not text.isprintable() or " " in text):
        raise UsageError(f"{name} must be {MIN_SECRET} ASCII characters or more without blanks: nobody may guess it")
    return text or None


_ROLES = ("viewer", "reviewer", "operator", "admin")


def _oidc(env: Mapping[str, str]) -> Oidc | None:
    issuer = (env.get("CORPUS_OIDC_ISSUER") or "").strip()
    if not issuer:
        return None
    parts = urlsplit(issuer)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")):
        raise UsageError(f"CORPUS_OIDC_ISSUER {masked_url(issuer)!r} must be an https address")
    client_id = (env.get("CORPUS_OIDC_CLIENT_ID") or "").strip()
    if not client_id:
        raise UsageError("CORPUS_OIDC_CLIENT_ID is missing: the name under which the provider knows this server")
    pairs = [text.partition("=") for text in (env.get("CORPUS_OIDC_ROLES") or "").split(",") if text.strip()]
    roles = tuple((group.strip(), role.strip()) for group, _, role in pairs)
    if not roles:
        raise UsageError(
            "CORPUS_OIDC_ROLES is missing: nobody would have a role. Say GROUP=ROLE, or *=viewer for everybody"
        )
    for group, role in roles:
        if not group or role not in _ROLES:
            raise UsageError(f"CORPUS_OIDC_ROLES: {group}={role} is no GROUP=ROLE; roles are {', '.join(_ROLES)}")
    return Oidc(
        issuer=issuer,
        client_id=client_id,
        client_secret=env.get("CORPUS_OIDC_CLIENT_SECRET") or None,
        roles=roles,
        role_claim=env.get("CORPUS_OIDC_ROLE_CLAIM") or "groups",
        scope=env.get("CORPUS_OIDC_SCOPE") or "openid email profile",
        session_seconds=60 * _between("CORPUS_OIDC_SESSION_MINUTES", env, "60", 1, 720),
    )


def _positive(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 86_400:
        raise UsageError(f"{name} must be a number of seconds between 0 and 86400, not {text!r}")
    return value
