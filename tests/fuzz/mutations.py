"""Seeded damage: to bytes, to the cells of a table, to the values of JSON and TOML."""

import binascii
import io
import json
import random
import struct
import zipfile

BOUNDARIES = (0, 1, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1)

# Values that a text file may hold where a number, a name or a list is expected.
WORDS = (
    *("", " ", "0", "-1", "3.0", "02", "1e5", "1e400", "-1e400", "5e-324", "nan", "inf", "-inf"),
    *("9" * 400, "0." + "3" * 400, "true", "null", "None", "=1+1", "@x", "'", '"', '""', "\\"),
    *("happiness", "Happy", "colère", "cole\u0300re", "\u202e", "\x1b[31m", "\x00", "\ufeff", "🙂"),
    *("a" * 300, "/" * 40, "../x", ",,", ";", "\t", "1 2 3", "[" * 60, "{" * 60),
)

JSON_VALUES = (
    *(None, True, False, 0, -1, 3, 2**70, 10**400, 0.5, 5e-324, 1e308, float("nan"), float("inf")),
    *("", "x", "nan", "\x1b[31mred", "\ud800", "a" * 5000, [], {}, [[]], [None], {"": None}),
    *([1, "a"], {"a": 1}, ["anger"] * 8, ["anger", "anger"]),
)


def damage_bytes(content: bytes, rng: random.Random, other: bytes = b"") -> bytes:
    """Change one to eight places of a file."""
    out = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(out) + 1)
        # Most of what a reader decides on stands at the start of a file.
        if rng.random() < 0.4:
            at = min(at, rng.randrange(200))
        length = min(rng.choice((1, 2, 4, 16, 64, 1024)), len(out) - at)
        match rng.randrange(9):
            case 0 if at < len(out):
                out[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(out):
                out[at] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
            case 2 | 3:
                kind = rng.choice(("<I", ">I", "<H", ">H", "<Q", ">Q"))
                size = struct.calcsize(kind)
                value = rng.choice(BOUNDARIES) % 256**size
                out[at : at + size] = struct.pack(kind, value)
            case 4:
                del out[at : at + length]
            case 5:
                out[at:at] = out[at : at + length] * rng.choice((1, 2, 50))
            case 6:
                out[at:at] = rng.randbytes(length)
            case 7:
                del out[at:]
            case _:
                start = rng.randrange(len(other) + 1)
                out[at : at + length] = other[start : start + length]
    return bytes(out)


def damage_png(content: bytes, rng: random.Random, other: bytes = b"") -> bytes:
    """Damage chunks of a PNG file and set their checksums right, so that they are read."""
    out, at = bytearray(content[:8]), 8
    while at + 12 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        if rng.random() < 0.4:
            body = damage_bytes(body, rng, other)
        check = binascii.crc32(kind + body)
        out += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)
        at += 12 + length
    return bytes(out)


def damage_npz(content: bytes, rng: random.Random, other: bytes = b"") -> bytes:
    """Damage one array inside a .npz file and make the checksum of the archive right again."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(stream, "w") as target:
        names = source.namelist()
        hit = rng.choice(names)
        for name in names:
            body = source.read(name)
            if name == hit:
                if rng.random() < 0.1:
                    continue
                # The header of an array is its first 128 bytes.
                body = (
                    damage_bytes(body[:128], rng, other) + body[128:]
                    if rng.random() < 0.6
                    else damage_bytes(body, rng, other)
                )
            target.writestr(name, body, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
    return stream.getvalue()


def damage_text(content: bytes, rng: random.Random, other: bytes = b"") -> bytes:
    """Change cells, values and lines of a CSV or TOML file."""
    lines = content.decode("utf-8").split("\n")
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(lines))
        match rng.randrange(6):
            case 0 | 1 | 2:
                mark = rng.choice((",", "=", " ", '"'))
                cells = lines[at].split(mark)
                cells[rng.randrange(len(cells))] = rng.choice(WORDS)
                lines[at] = mark.join(cells)
            case 3:
                lines.insert(at, lines[rng.randrange(len(lines))])
            case 4 if len(lines) > 1:
                del lines[at]
            case _:
                lines[at] = lines[at][: rng.randrange(len(lines[at]) + 1)] + rng.choice(WORDS)
    text = rng.choice(("\n", "\n", "\n", "\r\n", "\r")).join(lines)
    out = text.encode(rng.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16")), "replace")
    return damage_bytes(out, rng, other) if rng.random() < 0.2 else out


def damage_json(content: bytes, rng: random.Random, other: bytes = b"") -> bytes:
    """Replace, remove or wrap values of a JSON file; sometimes damage its bytes too."""
    value = json.loads(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        places = list(_places(value))
        if not places:
            break
        holder, key = rng.choice(places)
        match rng.randrange(8):
            case 0:
                del holder[key]
            case 1:
                holder[key] = [holder[key]]
            case 2 if isinstance(holder, dict):
                holder[rng.choice(WORDS)] = rng.choice(JSON_VALUES)
            case 3 if isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
                holder[key] *= rng.choice((-1, 1e-300, 1e300, 0.5, 1000))
            case _:
                holder[key] = rng.choice(JSON_VALUES)
    text = json.dumps(value, ensure_ascii=rng.random() < 0.7)
    if rng.random() < 0.03:
        text = '{"name": ' + "[" * 100_000 + text
    out = text.encode("utf-8", "surrogatepass")
    return damage_bytes(out, rng, other) if rng.random() < 0.1 else out


def _places(value):
    """Every (container, key) of a JSON value."""
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        return
    for key, inner in items:
        yield value, key
        yield from _places(inner)
