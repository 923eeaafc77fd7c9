"""A recording's file as gzip members of lines: within bounded memory, whatever is in the file."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_GZIP = 31  # zlib's number for a gzip member with the largest window
_CHUNK = 1 << 16
_ZEROS = 64  # bytes of zeros that no recording ends with: a disk's, after a power cut

# What a member may hold. Ours stay a hundred times below; another one may have been made to fill the memory.
_LONGEST_LINE = 8 << 20
_LARGEST = 64 << 20


class DamagedError(ValueError):
    """What follows the lines so far is none."""


@dataclass(slots=True)
class Member:
    """Walk through `lines`; afterwards `next` is where the next member begins, None when this one's end is missing."""

    file: BinaryIO
    offset: int
    end: int  # of the file
    next: int | None = None

    def lines(self) -> Iterator[bytes]:
        """Whole lines without their ends. Raises DamagedError where they are damaged or beyond all measure."""
        rest, size = b"", 0
        for data in self._unpacked():
            size += len(data)
            *whole, rest = (rest + data).split(b"\n")
            if size > _LARGEST or len(rest) > _LONGEST_LINE:
                raise DamagedError("there is too much of it to be read")
            yield from whole

    def _unpacked(self) -> Iterator[bytes]:
        unpack, position, more = zlib.decompressobj(_GZIP), self.offset, True
        while more and not unpack.eof:
            data = unpack.unconsumed_tail
            if not data:
                self.file.seek(position)
                data = self.file.read(min(_CHUNK, self.end - position))
                position += len(data)
            try:
                unpacked = unpack.decompress(data, _CHUNK)
            except zlib.error as error:
                raise DamagedError(f"the file is damaged ({error})") from error
            more = bool(data or unpacked)
            yield unpacked
        if unpack.eof:
            self.next = position - len(unpack.unused_data)


def end_of(file: BinaryIO) -> int:
    """The file's size without the zeros that a power cut may have left at its end."""
    size = end = file.seek(0, 2)
    while end:
        begin = max(0, end - _CHUNK)
        file.seek(begin)
        told = file.read(end - begin).rstrip(b"\0")
        end = begin + len(told)
        if told:
            break
    return end if size - end >= _ZEROS else size
