"""Files spoilt by chance, each by its seed: the same seed spoils the same file in the same way."""

from __future__ import annotations

import random
from collections.abc import Callable

Spoil = Callable[[bytes, random.Random], bytes]


def flip(data: bytes, rng: random.Random) -> bytes:
    """Flip up to 32 bits anywhere."""
    spoilt = bytearray(data)
    for _ in range(rng.randint(1, 32)):
        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def flip_head(data: bytes, rng: random.Random) -> bytes:
    """Flip up to 8 bits among the first 512 bytes, where headers stand."""
    return flip_within(data, rng, 0, min(512, len(data)))


def flip_tail(data: bytes, rng: random.Random) -> bytes:
    """Flip up to 8 bits among the last 512 bytes, where directories stand."""
    return flip_within(data, rng, max(0, len(data) - 512), len(data))


def flip_within(data: bytes, rng: random.Random, start: int, end: int) -> bytes:
    """Flip up to 8 bits from ``start`` to ``end``."""
    spoilt = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        spoilt[rng.randrange(start, end)] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def truncate(data: bytes, rng: random.Random) -> bytes:
    """Cut the end off, anywhere."""
    return data[: rng.randrange(len(data))]


def overwrite(data: bytes, rng: random.Random) -> bytes:
    """Overwrite a stretch with zeros, ones or noise."""
    start = rng.randrange(len(data))
    size = rng.randint(1, max(1, min(4096, len(data) - start)))
    fill = rng.choice([bytes(size), b"\xff" * size, rng.randbytes(size)])
    return data[:start] + fill + data[start + size :]


def insert(data: bytes, rng: random.Random) -> bytes:
    """Put bytes in between."""
    at = rng.randrange(len(data))
    return data[:at] + rng.randbytes(rng.randint(1, 64)) + data[at:]


def delete(data: bytes, rng: random.Random) -> bytes:
    """Take bytes out."""
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.randint(1, 64) :]


def repeat(data: bytes, rng: random.Random) -> bytes:
    """Repeat a stretch where it ends."""
    start = rng.randrange(len(data))
    end = min(len(data), start + rng.randint(1, 4096))
    return data[:end] + data[start:end] + data[end:]


def exchange(data: bytes, rng: random.Random) -> bytes:
    """Let two stretches change places."""
    size = min(rng.randint(1, 1024), len(data) // 3 or 1)
    first = rng.randrange(max(1, len(data) - 2 * size))
    second = rng.randrange(first + size, max(first + size + 1, len(data) - size + 1))
    moved = bytearray(data)
    moved[first : first + size] = data[second : second + size]
    moved[second : second + size] = data[first : first + size]
    return bytes(moved)


SPOILS: dict[str, Spoil] = {
    "bits flipped": flip,
    "bits of the header flipped": flip_head,
    "bits of the end flipped": flip_tail,
    "truncated": truncate,
    "overwritten": overwrite,
    "bytes put in": insert,
    "bytes taken out": delete,
    "repeated": repeat,
    "exchanged": exchange,
}
