"""What an update weighs: ``python deltas.py CHANGE OLD NEW …``, three words for each pair of files

A line of JSON a pair: the bytes of the new file whole, packed by zstd, and as a difference to the old one by
bsdiff and by zstd. Each difference is applied to the old file, and the result compared, before its size
counts.
"""

import json
import sys
from pathlib import Path

import bsdiff4
import zstandard

LEVEL = 19


def weights(old: bytes, new: bytes) -> dict[str, int]:
    """Bytes that go over the link, by the way they are packed."""
    packed = zstandard.ZstdCompressor(level=LEVEL).compress(new)
    difference = bsdiff4.diff(old, new)
    # The old file as a dictionary is what `zstd --patch-from` does; its window must span both files.
    dictionary = zstandard.ZstdCompressionDict(old, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    wide = zstandard.ZstdCompressionParameters.from_level(LEVEL, window_log=22, enable_ldm=True)
    patch = zstandard.ZstdCompressor(dict_data=dictionary, compression_params=wide).compress(new)
    unpacked = (
        zstandard.ZstdDecompressor().decompress(packed),
        bsdiff4.patch(old, difference),
        zstandard.ZstdDecompressor(dict_data=dictionary).decompress(patch),
    )
    if any(result != new for result in unpacked):
        raise RuntimeError("a difference does not give the new file back")
    sizes = {"whole": new, "zstd": packed, "bsdiff": difference, "zstd_patch": patch}
    return {name: len(content) for name, content in sizes.items()}


def main(words: list[str]) -> None:
    for change, old, new in zip(words[::3], words[1::3], words[2::3], strict=True):
        print(json.dumps({"change": change, **weights(Path(old).read_bytes(), Path(new).read_bytes())}))


if __name__ == "__main__":
    main(sys.argv[1:])
