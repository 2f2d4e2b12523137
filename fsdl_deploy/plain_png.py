"""A card's PNG, grey with 8 bits a pixel, decoded without what Pillow does for every other kind

Pillow's own decoder makes the pixels here too. What is left out is Pillow's walk through the file and its
plugin's loading: a sixth of a card's time. Anything that is not plain and whole is left to
Pillow, so answers and refusals are the same.
"""

import zlib

import numpy as np
import PIL.Image

SIGNATURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
GREY = b"\x08\0\0\0\0"
"""Eight bits, grey, deflated, filtered, row by row: IHDR behind width and height."""
END = b"\0\0\0\0IEND\xaeB`\x82"
FIRST = 33  # the place of the first part behind IHDR


def size(data: bytes) -> tuple[int, int] | None:
    """Height and width of a PNG whose header is plain, None for any other file."""
    if not (data.startswith(SIGNATURE) and data[24:29] == GREY and data.endswith(END)):
        return None
    if zlib.crc32(data[12:29]) != int.from_bytes(data[29:33]):
        return None
    return int.from_bytes(data[20:24]), int.from_bytes(data[16:20])


def pixels(data: bytes, height: int, width: int) -> np.ndarray | None:
    """The pixels uint8 ``[H, W]`` of a PNG with this ``size``; None where it is not plain or not whole."""
    packed, place, end = [], FIRST, len(data) - len(END)
    while place < end:
        behind = place + 8 + int.from_bytes(data[place : place + 4])
        if data[place + 4 : place + 8] != b"IDAT" or behind + 4 > end:
            return None
        if zlib.crc32(data[place + 4 : behind]) != int.from_bytes(data[behind : behind + 4]):
            return None
        packed.append(data[place + 8 : behind])
        place = behind + 4
    try:
        return np.array(PIL.Image.frombytes("L", (width, height), b"".join(packed), "zip", "L"))
    except ValueError:  # too short, too long or damaged
        return None
