"""A line of JSON against its schema: every error names file, line and field."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Generic, TypeAlias, TypeVar

import msgspec

from lsgcli.errors import InputError

MOST = 10**15  # of a time or a count, in whatever unit: what a float holds exactly
Number: TypeAlias = (
    Annotated[int, msgspec.Meta(ge=-MOST, le=MOST)]
    | Annotated[float, msgspec.Meta(ge=-float(MOST), le=float(MOST))]
)
Index = Annotated[int, msgspec.Meta(ge=-MOST, le=MOST)]
LONGEST = 500  # characters of what is said of a line
T = TypeVar("T", bound=msgspec.Struct)


class RecordDecoder(Generic[T]):
    """Decodes the lines of one log.

    Args:
        path: the log, for messages.
        schema: what a line holds; it should forbid unknown fields.
        ignore: unknown fields to skip.

    """

    def __init__(self, path: Path, schema: type[T], ignore: Collection[str] = ()) -> None:
        self._path = path
        self._schema = schema
        self._ignore = frozenset(ignore)
        self._decoder = msgspec.json.Decoder(schema)

    def decode(self, number: int, line: bytes) -> T:
        """Decode one line.

        Raises:
            InputError: if it is broken or does not fit the schema.

        """
        try:
            if self._ignore:
                return self._decode_without_ignored(line)
            return self._decoder.decode(line)
        except msgspec.ValidationError as error:
            raise InputError(f"{self._path}:{number}: {_explain(error)}") from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"{self._path}:{number}: {_diagnose(line, error)}") from error

    def _decode_without_ignored(self, line: bytes) -> T:
        fields = msgspec.json.decode(line)
        if isinstance(fields, dict):
            fields = {key: value for key, value in fields.items() if key not in self._ignore}
        return msgspec.convert(fields, self._schema)


def _explain(error: msgspec.ValidationError) -> str:
    message = str(error)[:LONGEST]
    if "unknown field" in message:
        return f"{message}; remove it, or name it among the fields to ignore"
    return f"{message}; write the log again"


def _diagnose(line: bytes, error: Exception) -> str:
    """Distinguish NaN, which Python writes and JSON does not have, from an incomplete line."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return f"broken JSON ({error}); if the run was cut short here, delete the line"
    return "NaN or an infinite number, which is not JSON; write the log again"
