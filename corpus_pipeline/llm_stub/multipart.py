"""multipart/form-data as the Files API gets it (RFC 7578), split without copying more than once."""

from __future__ import annotations

from email.message import Message


def form_fields(content_type: str, raw: bytes) -> dict[str, tuple[str | None, bytes]]:
    """name -> (file name, content). Raises ValueError when the body is not such a form."""
    boundary = _parameter(content_type, "content-type", "boundary")
    if boundary is None:
        raise ValueError("no boundary")
    fields: dict[str, tuple[str | None, bytes]] = {}
    for part in (b"\r\n" + raw).split(b"\r\n--" + boundary.encode())[1:-1]:
        head, found, content = part.partition(b"\r\n\r\n")
        lines = head.decode("utf-8").split("\r\n")
        disposition = next((line for line in lines if line.lower().startswith("content-disposition:")), None)
        if not found or disposition is None:
            raise ValueError("a part without content-disposition")
        said = disposition.partition(":")[2].strip()
        name = _parameter(said, "content-disposition", "name")
        if name is None:
            raise ValueError("a part without name")
        fields[name] = (_parameter(said, "content-disposition", "filename"), content)
    return fields


def _parameter(value: str, header: str, name: str) -> str | None:
    message = Message()
    message[header] = value
    found = message.get_param(name, header=header)
    return found if isinstance(found, str) else None
