"""Checks of everything around the corpus, each finding with the next command to run."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from corpus_pipeline.error_words import in_words
from corpus_pipeline.errors import CorpusError, UsageError
from corpus_pipeline.jobs.augment.plan import ModelAccess, prepare
from corpus_pipeline.llm.prices import MAX_AGE_DAYS
from corpus_pipeline.plugins import Group
from corpus_pipeline.recipe import parse
from corpus_pipeline.service import deep_checks
from corpus_pipeline.service.corpus import Corpus
from corpus_pipeline.service.queries import catalogue
from corpus_pipeline.service.records.base import JsonObject
from corpus_pipeline.settings import Settings, masked_url
from corpus_pipeline.stages.export.manifest import data_sha256
from corpus_pipeline.store import Store, exports, migrate, recipes


class Finding(NamedTuple):
    """What was looked at and what was found; the sentence of a bad one ends with the next step."""

    subject: str
    ok: bool
    sentence: str


def examine(*, probe: bool = False, deep: bool = False) -> Iterator[Finding]:
    """Look at settings, plugins, home, database, the export target and what it holds, models and prices, in this order.

    probe: ask each model of each recipe once, too, which costs a little money. deep: read and compare everything that is
    stored, too, which takes long.
    """
    try:
        settings = Settings.from_env()
    except CorpusError as error:
        yield Finding("settings", False, str(error))
        return
    yield _guarded("plugins", _plugins)
    yield _guarded("home", lambda: _home(settings))
    database = _guarded("database", lambda: _database(settings))
    yield database
    if not database.ok:
        return
    with Corpus.open(settings) as corpus:
        yield _guarded("export target", lambda: _target(corpus))
        yield _guarded("exports", lambda: known_exports(corpus))
        yield _guarded("model", lambda: _model(corpus))
        yield _guarded("prices", lambda: _prices(corpus))
        if probe:
            yield from _probed(corpus)
        if deep:
            yield from (_guarded(subject, partial(check, corpus)) for subject, check in deep_checks.CHECKS.items())


def least_policy(url: str | None = None) -> JsonObject:
    """The least privileges of a key that writes exports: nothing is deleted, and no other prefix is seen. url: instead of
    CORPUS_EXPORT_URL.

    Raises UsageError where exports go to a folder.
    """
    url = url or Settings.from_env().export_url
    if not url.startswith("s3://"):
        raise UsageError("exports go to a folder: set CORPUS_EXPORT_URL to s3://BUCKET/PREFIX for a policy")
    bucket, _, prefix = url.removeprefix("s3://").strip("/").partition("/")
    below = f"{prefix}/*" if prefix else "*"
    listing: JsonObject = {
        "Sid": "SeeTheExports",
        "Effect": "Allow",
        "Action": ["s3:ListBucket", "s3:ListBucketMultipartUploads"],
        "Resource": f"arn:aws:s3:::{bucket}",
    }
    if prefix:
        listing["Condition"] = {"StringLike": {"s3:prefix": [below]}}
    objects = {
        "Sid": "WriteExports",
        "Effect": "Allow",
        "Action": ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
        "Resource": f"arn:aws:s3:::{bucket}/{below}",
    }
    return {"Version": "2012-10-17", "Statement": [listing, objects]}


def _probed(corpus: Corpus) -> Iterator[Finding]:
    from corpus_pipeline.service.probe import guarded  # brings the SDK

    found = guarded(corpus)
    for one in found:
        yield Finding(f"probe of {one.label}", one.ok, one.sentence)
    if not found:
        yield Finding("probe", True, "no registered file asks a model yet")


def _guarded(subject: str, look: Callable[[], tuple[bool, str]]) -> Finding:
    try:
        return Finding(subject, *look())
    except CorpusError as error:
        return Finding(subject, False, str(error))
    except Exception as error:
        return Finding(subject, False, in_words(error))


def _plugins() -> tuple[bool, str]:
    found = catalogue.problems()
    if found:
        return False, f"{'; '.join(found)}. Install a version that fits, or remove the package"
    count = sum(not entry["built_in"] for group in Group for entry in catalogue.listed(group))
    return True, f"{count} from other packages" if count else "none installed"


def _home(settings: Settings) -> tuple[bool, str]:
    home = settings.make_home()
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & 0o077:
        return False, f"{home} can be read by others (mode {mode:o}). Run: chmod 700 {home}"
    return True, f"{home}, for its owner only"


def _database(settings: Settings) -> tuple[bool, str]:
    store = Store(settings.database_url, patience=5)
    try:
        version = store.fetch(migrate.version_of)
        if version is None:
            migrate.ensure(store)
            version = migrate.HEAD
        if version != migrate.HEAD:
            return False, f"schema {version}, this program works with {migrate.HEAD}. Run: corpus upgrade"
        problems = store.fetch(store.backend.problems) + [
            f"table {name} is missing; restore a backup" for name in store.fetch(migrate.differences)
        ]
        way = store.fetch(store.backend.protection)
        place = f"{masked_url(settings.database_url)}, schema {version}{f', {way}' if way else ''}"
        return not problems, "; ".join(problems) or place
    finally:
        store.close()


def _target(corpus: Corpus) -> tuple[bool, str]:
    check = corpus.target.check()
    return check.ok, check.sentence


def known_exports(corpus: Corpus) -> tuple[bool, str]:
    """Whether the database knows every export of its files that lies in the target."""
    manifests = corpus.target.manifests()
    own = {file.name for file in corpus.files()}
    unknown = [
        f"{one['name']} (of {one.get('created') or 'another time'})"
        for one in manifests
        if one["name"] in own
        and data_sha256(one) not in {sha256 for _, sha256 in corpus.store.fetch(exports.of_file, one["name"])}
    ]
    if not unknown:
        return True, f"the database knows all {sum(one['name'] in own for one in manifests)} exports of its files"
    return False, (
        f"{len(unknown)} exports in {corpus.target.uri('')} are not known to this database ({', '.join(unknown[:5])}): it was"
        " restored from an older backup, or another corpus writes there. Keep them until you know; the next `corpus run` puts"
        " what this database holds in their place, and asks anew for answers that were paid after the backup"
    )


def _model(corpus: Corpus) -> tuple[bool, str]:
    access = corpus.models
    if access is None:
        return False, "neither OPENAI_API_KEY nor OPENAI_BASE_URL is set; `corpus llm-stub` starts a stand-in"
    names = asyncio.run(_model_names(access))
    if access.default_model and access.default_model not in names:
        return False, f"{access.endpoint} answers, but has no model {access.default_model}. Set CORPUS_MODEL"
    return True, f"{access.endpoint} answers with {len(names)} models"


async def _model_names(access: ModelAccess) -> list[str]:
    from corpus_pipeline.llm.client import ModelClient

    async with ModelClient(access.endpoint) as client:
        return await client.models(deadline_seconds=10)


def _prices(corpus: Corpus) -> tuple[bool, str]:
    names = set()
    for file in corpus.files():
        row = corpus.store.fetch(recipes.recipe_row, file.recipe_id)
        recipe = parse(row.body)
        if recipe.augment.strategies:
            plan = prepare(recipe.augment, corpus.settings.model, corpus.prices, corpus.endpoints)
            names |= {prepared.strategy.model for prepared in plan.values()}
    age = corpus.prices.age_days(datetime.now(UTC).date())
    if age > MAX_AGE_DAYS:
        return False, f"the price list is of {corpus.prices.as_of}, {age} days old. Run: corpus prices update FILE"
    known = f"known for {', '.join(sorted(names))}" if names else "no registered file asks a model yet"
    return True, f"{known}; list of {corpus.prices.as_of}"
