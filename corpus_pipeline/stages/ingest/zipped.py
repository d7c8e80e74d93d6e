"""A zip archive that holds one file: it is read like any other packed file."""

from __future__ import annotations

import io
import lzma
import stat
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from corpus_pipeline.stages.ingest.source import Compression, SourceBroken
from corpus_pipeline.stages.ingest.streams import EXPANSION_GRACE, too_large

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_SHOWN = 5
_MOST_CONTENTS = 1 << 20  # bytes of the table of contents; each entry takes 46 and its name, and is held in memory
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)


class _Bounded(io.RawIOBase):
    """An archive whose table of contents is read only if it is short: how long it is says the record at the end of the
    archive, which anybody may have written, and the one piece that long is read before anything of it is looked at."""

    def __init__(self, file: io.RawIOBase) -> None:
        self._file = file
        self.opened = False

    def read(self, size: int = -1, /) -> bytes | None:
        if not self.opened and size > _MOST_CONTENTS:
            raise SourceBroken(
                f"is a zip archive with a table of contents of {size:,} bytes, and only one of one file is read as it is"
                f" (up to {_MOST_CONTENTS:,} bytes). Unpack it, then add the folder."
            )
        return self._file.read(size)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


class ZipStream(io.RawIOBase):
    """The bytes of the one file of an archive; `name` is its name there. Raises SourceBroken."""

    def __init__(self, file: io.RawIOBase, max_expansion: int) -> None:
        try:
            bounded = _Bounded(file)
            self._archive = zipfile.ZipFile(cast("IO[bytes]", bounded))
            bounded.opened = True
            member = _only_member(self._archive)
            if member.file_size > max(EXPANSION_GRACE, member.compress_size * max_expansion):
                raise SourceBroken(too_large(Compression.ZIP, member.compress_size, member.file_size, max_expansion))
            self._inner = self._archive.open(member)
        except (RuntimeError, NotImplementedError) as error:  # a password, a method of packing
            raise SourceBroken(f"this zip archive cannot be unpacked here: {error}. Unpack it first.") from error
        except _DAMAGE as error:
            raise SourceBroken(f"is no whole zip archive: {error}. Get it again.") from error
        self.name = PurePosixPath(member.filename).name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        try:
            data = self._inner.read(len(view))
        except _DAMAGE as error:
            raise SourceBroken(f"damaged zip data: {error}. Get it again.") from error
        view[: len(data)] = data
        return len(data)


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one file of an archive, not counting what macOS and Windows put beside files."""
    names = {member.filename for member in archive.infolist()}
    if "[Content_Types].xml" in names:
        kind = "an Excel workbook" if any(name.startswith("xl/") for name in names) else "an Office document"
        raise SourceBroken(f"is {kind}, not a table of text. Save it as CSV (UTF-8), then add that.")
    files = [
        member
        for member in archive.infolist()
        if not member.is_dir()
        and not member.filename.startswith("__MACOSX/")
        and PurePosixPath(member.filename).name not in (".DS_Store", "Thumbs.db", "desktop.ini")
    ]
    if len(files) == 1 and stat.S_ISLNK(files[0].external_attr >> 16):
        raise SourceBroken("is a zip archive of a link, which leads to no file here. Pack the file itself.")
    if len(files) == 1:
        return files[0]
    shown = ", ".join(member.filename for member in files[:_SHOWN]) + (", ..." if len(files) > _SHOWN else "")
    raise SourceBroken(
        f"is a zip archive of {len(files)} files{f' ({shown})' if files else ''}, and only one of one file is read as it is."
        " Unpack it, then add the folder."
    )
