"""WebM files that ask for as much work as their length allows."""

import struct

KID = bytes.fromhex("10000000100010001000100000000001")


def number(value, width):
    return (value | 1 << 7 * width).to_bytes(width, "big")


def element(identifier, *content, width=1):
    content = b"".join(content)
    return bytes.fromhex(identifier) + number(len(content), width) + content


def u32(value):
    return struct.pack(">I", value)


EBML = element("1a45dfa3", element("4282", b"webm"))
INFO = element("1549a966", element("2ad7b1", b"\x0f\x42\x40"), element("4489", struct.pack(">f", 1e6)))


def track(track_number=1, kid=KID):
    """Protected, or with no `kid` clear."""
    aes = element("47e7", element("47e8", b"\1"))
    encryption = element("5035", element("47e1", b"\5"), element("47e2", kid or b""), aes)
    encodings = element("6d80", element("6240", element("5033", b"\1"), encryption)) if kid else b""
    video = element("e0", element("b0", b"\1\0"), element("ba", b"\1\0"))
    named = [element("d7", track_number.to_bytes(3, "big")), element("83", b"\1"), element("86", b"V_VP8")]
    return element("ae", *named, video, encodings, width=8)


def tracks(*content):
    return element("1654ae6b", *content, width=8)


def segment(*content):
    return EBML + element("18538067", *content, width=8)


def cluster(*content):
    return element("1f43b675", element("e7", b"\0"), *content, width=8)


def block(data):
    return element("a3", b"\x81\0\0\x80", data)


CLEAR = block(b"\0")
ENCRYPTED = block(b"\1" + b"\7" * 8 + b"\x5a")
CUE = lambda time, at: element("bb", element("b3", u32(time)[1:]), element("b7", element("f7", b"\1"), element("f1", u32(at))))


def blocks(octets):
    return segment(tracks(track()), cluster(CLEAR * (octets // len(CLEAR))))


def encrypted_blocks(octets):
    return segment(tracks(track()), cluster(ENCRYPTED * (octets // len(ENCRYPTED))))


def empty_clusters(octets):
    return segment(tracks(track()), element("1f43b675") * (octets // 5))


def voids(octets):
    return segment(tracks(track()), element("ec") * (octets // 2))


def clusters_without_end(octets):
    one = bytes.fromhex("1f43b675ff") + element("e7", b"\0")
    return EBML + bytes.fromhex("1853806701") + b"\xff" * 7 + tracks(track()) + one * (octets // len(one))


def many_tracks(octets):
    one = lambda at: track(at, struct.pack(">QQ", 1, at))
    return segment(tracks(*map(one, range(1, octets // len(one(1))))), cluster())


def many_clear_tracks(octets):
    one = lambda at: track(at, None)
    return segment(tracks(*map(one, range(1, octets // len(one(1))))), cluster(CLEAR))


def seeks(octets):
    one = element("4dbb", element("53ab", bytes.fromhex("1654ae6b")), element("53ac", u32(0)))
    return segment(element("114d9b74", one * (octets // len(one)), width=8), tracks(track()), cluster(ENCRYPTED))


def cues_and_blocks(octets):
    """Entries of the index behind blocks that `--compact` makes shorter."""
    head = tracks(track())
    body = cluster(ENCRYPTED * (octets // 2 // len(ENCRYPTED)))
    cue = CUE(0, len(head))
    return segment(head, body, element("1c53bb6b", cue * (octets // 2 // len(cue)), width=8))


def clusters_in_blocks(octets):
    """A clear file whose index leads to clusters that begin inside of each other's blocks: behind the first octet
    of a frame, since a signal comes before that when it is written, and in a clear lead, since what is encrypted is
    no cluster any more."""
    head = INFO + tracks(track(1, None))
    each = 2 + 4 + 1 + 12
    count = octets // (len(CUE(0, 0)) + each)
    first = len(head) + 12 + (count + 1) * len(CUE(0, 0))
    claim = lambda at: bytes.fromhex("1f43b675") + number((count - at) * each, 8)
    region = b"".join(b"\xa3\x91\x81\0\0\x80\0" + claim(at) for at in range(count))
    cues = [CUE(0, first)] + [CUE(at + 1, first + 12 + at * each + 7) for at in range(count - 1)]
    cues.append(CUE(count, first + 12 + len(region)))
    index = element("1c53bb6b", *cues, width=8)
    return segment(head, index, element("1f43b675", region, width=8), cluster(CLEAR))
