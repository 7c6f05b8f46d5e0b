"""The log of a disk's writes and flushes, as QEMU's blklogwrites driver leaves it."""
import os
import struct

MAGIC = 0x6A736677736872
FLUSH, DISCARD, MARK = 1, 4, 8


class Entry:
    __slots__ = ("offset", "length", "flags", "at", "end")

    def __init__(self, offset, length, flags, at, end):
        self.offset, self.length, self.flags = offset, length, flags  # on the disk, in bytes
        self.at, self.end = at, end                                   # its data in the log, and where the next begins


class BlockLog:
    def __init__(self, path):
        self.file = open(path, "rb")
        magic, version, _, self.sector = struct.unpack("<QQQI", self.file.read(28))
        if magic != MAGIC or version != 1:
            raise ValueError(f"{path} is no log of blklogwrites")
        self.entries = list(self._read(os.path.getsize(path)))

    def _read(self, size):
        at = self.sector
        while at + self.sector <= size:
            self.file.seek(at)
            sector, sectors, flags, _ = struct.unpack("<QQQQ", self.file.read(32))
            if not (sector or sectors or flags):
                return  # allocated and not written when the power went
            data = at + self.sector
            end = data + (0 if flags & (DISCARD | MARK) else sectors * self.sector)
            if end > size:
                return
            yield Entry(sector * self.sector, sectors * self.sector, flags, data, end)
            at = end

    def data(self, entry):
        if entry.flags & DISCARD:
            return bytes(entry.length)
        self.file.seek(entry.at)
        return self.file.read(entry.length)
