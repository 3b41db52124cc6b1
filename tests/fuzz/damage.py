"""Light damage, as disks, networks and people do it: flipped bits, overwritten bytes, files that end too early."""

import random


def damaged(content: bytes, random: random.Random) -> bytes:
    """The content with one kind of damage; never the content itself, unless it is empty."""
    changed = bytearray(content)
    kind = random.choice(("bit", "bit", "bits", "byte", "cut", "block", "gap"))
    place = random.randrange(len(content)) if content else 0
    if not content:
        return content
    if kind == "cut":
        return bytes(changed[:place])
    if kind == "gap":
        del changed[place : place + random.randint(1, 16)]
    elif kind == "block":
        end = min(len(changed), place + random.randint(1, 64))
        changed[place:end] = bytes(end - place)
    elif kind == "byte":
        changed[place] = random.choice((0, 1, 0x7F, 0x80, 0xFF))
    else:
        for _ in range(1 if kind == "bit" else random.randint(2, 6)):
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed) if bytes(changed) != content else damaged(content, random)
