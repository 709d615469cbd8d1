"""A file of lines as Pushshift compresses it: zstd, a window of 2 GiB, and frames that may end within a line."""

from collections.abc import Iterable
from pathlib import Path

import zstandard

WINDOW_LOG = 31
LEVEL = 3
_BATCH = 2000  # lines compressed at once


class DumpFile:
    """Writes lines; ``lines`` and ``bytes`` (decompressed) count what was written."""

    def __init__(self, path: Path) -> None:
        parameters = zstandard.ZstdCompressionParameters.from_level(
            LEVEL, window_log=WINDOW_LOG, enable_ldm=True, write_checksum=True
        )
        self.zstd = zstandard.ZstdCompressor(compression_params=parameters).stream_writer(path.open("wb"))
        self.held = b""
        self.lines = self.bytes = 0

    def write(self, lines: Iterable[bytes], end: bytes = b"\n") -> None:
        """Compress lines, each with its ``end``, and hold back the last."""
        batch = [self.held]
        for line in lines:
            batch.append(line + end)
            if len(batch) > _BATCH:
                self._compress(b"".join(batch[:-1]))
                del batch[:-1]
            self.lines += 1
        self.held = batch.pop()
        self._compress(b"".join(batch))

    def end_frame(self) -> None:
        """End the frame in the middle of the line held back, as cutting by size does."""
        half = len(self.held) // 2
        self._compress(self.held[:half])
        self.held = self.held[half:]
        self.zstd.flush(zstandard.FLUSH_FRAME)

    def close(self) -> None:
        """Write what is held back and the end of the last frame."""
        self._compress(self.held)
        self.zstd.close()

    def _compress(self, data: bytes) -> None:
        self.bytes += len(data)
        self.zstd.write(data)
