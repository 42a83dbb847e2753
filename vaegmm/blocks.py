"""A header and named arrays as one block of bytes, which Python writes and a page reads too.

    8 bytes   magic
    uint32    BLOB_VERSION
    uint32    Adler-32 checksum of header and block
    uint32    length of the header, n
    uint32    length of the block, m
    n bytes   header: JSON in UTF-8, filled up with spaces to a multiple of 8 bytes
    m bytes   block: arrays one after the other, each starting at a multiple of 8 bytes

Numbers are little-endian. The header's `arrays` give each array's dtype, shape and offset in the
block. `blob.js` reads it.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
import zlib
from typing import Any

import numpy as np

MAGIC = b"VAEGMM\r\n"
BLOB_VERSION = 2

_ALIGNMENT = 8
_NUMBERS = struct.Struct("<IIII")
_START = len(MAGIC) + _NUMBERS.size  # bytes before the header
_DTYPES = ("float16", "float32", "float64", "int32", "uint8", "uint16", "uint32")


def pack(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> bytes:
    """Write a header and arrays as one block of bytes, as it is described above.

    Args:
        header: JSON; `arrays` and `fingerprint` are added.
        arrays: by name, of types that `blob.js` knows.
    """
    block, table = _lay_out(arrays)
    header = {**header, "arrays": table}
    header["fingerprint"] = hashlib.sha256(_as_json(header) + block).hexdigest()[:16]
    content = _as_json(header)
    content += b" " * (-len(content) % _ALIGNMENT) + block
    lengths = len(content) - len(block), len(block)
    return MAGIC + _NUMBERS.pack(BLOB_VERSION, zlib.adler32(content), *lengths) + content


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what `pack` wrote.

    Returns:
        The header, and the arrays by name; they are read-only views of `data`.

    Raises:
        ValueError: if it is no such block, of another version, or damaged.
    """
    if data[: len(MAGIC)] != MAGIC or len(data) < _START:
        raise ValueError("data must be a block that vaegmm packed; it is of another kind.")
    version, checksum, header_length, block_length = _NUMBERS.unpack_from(data, len(MAGIC))
    if version != BLOB_VERSION:
        raise ValueError(f"data must have version {BLOB_VERSION}; got version {version}.")
    content = memoryview(data)[_START:]
    if len(content) != header_length + block_length or zlib.adler32(content) != checksum:
        raise ValueError("data is damaged: its length or its checksum is another.")
    try:
        header = json.loads(bytes(content[:header_length]))
        block = content[header_length:]
        arrays = {name: _array(block, entry) for name, entry in header["arrays"].items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"data is damaged: {error}.") from error
    return header, arrays


def _array(block: memoryview, entry: dict[str, Any]) -> np.ndarray:
    if entry["dtype"] not in _DTYPES:
        raise ValueError(f"no array has numbers of type {entry['dtype']}")
    dtype = np.dtype(entry["dtype"]).newbyteorder("<")
    shape = tuple(entry["shape"])
    return np.frombuffer(block, dtype, math.prod(shape), entry["offset"]).reshape(shape)


def _as_json(header: dict[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()


def _lay_out(arrays: dict[str, np.ndarray]) -> tuple[bytes, dict[str, dict[str, Any]]]:
    """Return the block, and where each array lies in it."""
    block, table = bytearray(), {}
    for name, array in arrays.items():
        block += bytes(-len(block) % _ALIGNMENT)
        table[name] = {
            "dtype": array.dtype.name,
            "shape": list(array.shape),
            "offset": len(block),
        }
        block += array.astype(array.dtype.newbyteorder("<")).tobytes()
    return bytes(block), table
