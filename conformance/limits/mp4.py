"""MP4 files that ask for as much work as their length allows."""

import struct

KID = bytes.fromhex("10000000100010001000100000000001")
COMMON = bytes.fromhex("1077efecc0b24d02ace33c1e52e2fb4b")


def u16(number):
    return struct.pack(">H", number)


def u32(number):
    return struct.pack(">I", number)


def box(kind, *content):
    content = b"".join(content)
    return u32(8 + len(content)) + kind + content


def full(kind, version, flags, *content):
    return box(kind, bytes([version]) + flags.to_bytes(3, "big"), *content)


def kid(number):
    return struct.pack(">QQ", 1, number)


def audio(kind, *content):
    return box(kind, bytes(6), u16(1), bytes(8), u16(2), u16(16), bytes(4), u32(48000 << 16), *content)


def clear(kind=b"Opus"):
    return audio(kind, box(b"dOps", b"\0\2\1\x38\0\0\xbb\x80\0\0\0"))


def protected(of=KID, scheme=b"cbcs", constant=True):
    if constant:
        tenc = full(b"tenc", 1, 0, b"\0\0\1\0", of, b"\x10", b"\5" * 16)
    else:
        tenc = full(b"tenc", 0, 0, b"\0\0\1\x08", of)
    schi = box(b"schi", tenc)
    return audio(b"enca", box(b"sinf", box(b"frma", b"mp4a"), full(b"schm", 0, 0, scheme, u32(0x10000)), schi))


def trak(track, *entries):
    tables = [full(b"stsz", 0, 0, u32(0), u32(0)), full(b"stsc", 0, 0, u32(0)), full(b"stco", 0, 0, u32(0))]
    stbl = box(b"stbl", full(b"stsd", 0, 0, u32(len(entries)), *entries), *tables)
    mdhd = full(b"mdhd", 0, 0, bytes(8), u32(1000), u32(0), u16(0x55C4), u16(0))
    mdia = box(b"mdia", mdhd, full(b"hdlr", 0, 0, u32(0), b"soun", bytes(12)), box(b"minf", stbl))
    return box(b"trak", full(b"tkhd", 0, 7, bytes(8), u32(track)), mdia)


def trex(track):
    return full(b"trex", 0, 0, u32(track), u32(1), u32(10), u32(0), u32(0))


def movie(traks, trexs, *others):
    return box(b"ftyp", b"isom", u32(0), b"iso6") + box(b"moov", *traks, box(b"mvex", *trexs), *others)


def one_track(*others, entry=None):
    return movie([trak(1, entry or protected())], [trex(1)], *others)


def traf(track, *content, size=None):
    if size is None:
        return box(b"traf", full(b"tfhd", 0, 0x20000, u32(track)), *content)
    return box(b"traf", full(b"tfhd", 0, 0x20010, u32(track), u32(size)), *content)


def trun(count, offset=None):
    if offset is None:
        return full(b"trun", 0, 0, u32(count))
    return full(b"trun", 0, 1, u32(count), u32(offset))


def fragment(make):
    """`make` gets the offset of the sample data behind the `moof`."""
    return make(len(make(0)) + 8)


def pssh(version=1, *kids):
    return full(b"pssh", version, 0, COMMON, u32(len(kids)), *kids, u32(0))


def sidx(*references):
    return full(b"sidx", 0, 0, u32(1), u32(1000), u32(0), u32(0), u16(0), u16(len(references)), *references)


END = box(b"moof", traf(1)) + box(b"mdat")


def trafs_and_kids(octets):
    """A track with many key ids by default, and many `traf` of it."""
    entries = [protected(kid(number)) for number in range(1, octets // 2 // len(protected()))]
    trafs = [traf(1)] * (octets // 2 // len(traf(1)))
    return movie([trak(1, *entries)], [trex(1)]) + box(b"moof", *trafs) + box(b"mdat")


def tracks_and_trafs(octets):
    count = octets // 2 // len(trak(1, clear()))
    traks = [trak(track, clear()) for track in range(1, count)] + [trak(count, protected())]
    trafs = [traf(count)] * (octets // 2 // len(traf(1)))
    return movie(traks, [trex(count)]) + box(b"moof", *trafs) + box(b"mdat")


def tracks_and_trexs(octets):
    count = octets // 2 // len(trak(1, clear()))
    traks = [trak(1, protected())] + [trak(track, clear()) for track in range(2, count)]
    return movie(traks, [trex(7)] * (octets // 2 // len(trex(7)))) + END


def entries_of_formats(octets):
    """Sample entries, and each has a name of its own."""
    name = lambda number: bytes([97, 65 + number % 50, 65 + number // 50 % 50, 65 + number // 2500 % 50])
    entries = [audio(name(number)) for number in range(octets // len(audio(b"mp4a")))]
    return movie([trak(1, *entries), trak(2, protected())], [trex(1), trex(2)]) + END


def empty_boxes(octets):
    return one_track() + box(b"free") * (octets // 8)


def movies(octets):
    return one_track() * (octets // len(one_track()))


def psshs(octets):
    return one_track(pssh() * (octets // len(pssh()))) + END


def psshs_of_another_system(octets):
    """Each its own, of a clear file with an index, so that a manifest lists them."""
    one = lambda number: full(b"pssh", 0, 0, b"B" * 16, u32(4), u32(number))
    run = lambda at: box(b"moof", traf(1, full(b"trun", 0, 0x301, u32(1), u32(at), u32(960), u32(100))))
    segment = fragment(run) + box(b"mdat", bytes(100))
    head = one_track(*map(one, range(octets // len(one(0)))), entry=clear())
    return head + sidx(u32(len(segment)) + u32(960) + u32(0x90000000)) + segment


def kids_of_a_pssh(octets):
    return one_track(pssh(1, *map(kid, range(octets // 16)))) + END


def empty_runs(octets):
    """Each run of 1,024 samples without octets, of a track that is clear."""
    head = movie([trak(1, protected()), trak(2, clear())], [trex(1), trex(2)])
    return head + box(b"moof", traf(2, trun(1024) * (octets // len(trun(1024))))) + box(b"mdat")


def empty_runs_protected(octets):
    return one_track() + box(b"moof", traf(1, trun(1024) * (octets // len(trun(1024))))) + box(b"mdat")


def samples_of_an_octet(octets):
    make = lambda offset: box(b"moof", traf(1, trun(octets, offset), size=1))
    return one_track() + fragment(make) + box(b"mdat", b"\x5a" * octets)


def samples_with_keys_of_their_own(octets):
    count = octets // 50
    entry = lambda number: b"\0\0\1\0" + kid(number) + b"\x10" + b"\6" * 16
    sgpd = full(b"sgpd", 1, 0, b"seig", u32(37), u32(count), *map(entry, range(count)))
    sbgp = full(b"sbgp", 0, 0, b"seig", u32(count), *[u32(1) + u32(0x10001 + at) for at in range(count)])
    make = lambda offset: box(b"moof", traf(1, trun(count, offset), sgpd, sbgp, size=1))
    return one_track() + fragment(make) + box(b"mdat", b"\x5a" * count)


def empty_subsamples(octets):
    count = octets // (65535 * 6 + 10)
    table = b"\7" * 8 + u16(65535) + bytes(6) * 65534 + u16(1) + u32(0)
    senc = full(b"senc", 0, 2, u32(count), *[table] * count)
    make = lambda offset: box(b"moof", traf(1, trun(count, offset), senc, size=1))
    return one_track(entry=protected(scheme=b"cenc", constant=False)) + fragment(make) + box(b"mdat", b"\x5a" * count)


def nested(octets):
    count = octets // 8
    return box(b"ftyp", b"isom", u32(0)) + b"".join(u32(8 * (count - at)) + b"moov" for at in range(count))


def fragments(octets):
    one = fragment(lambda offset: box(b"moof", traf(1, trun(1, offset), size=1))) + box(b"mdat", b"\x5a")
    return one_track() + one * (octets // len(one))


def index_entries_and_holes(octets):
    """Each fragment loses a `pssh`, and each entry of an index in front has to follow."""
    one = box(b"moof", pssh(), traf(1)) + box(b"mdat")
    count, entries = octets // 2 // len(one), min(65535, octets // 2 // 12)
    return one_track() + sidx(*[u32(len(one) * count // entries) + u32(10) + u32(0x90000000)] * entries) + one * count


def random_access_and_holes(octets):
    one = box(b"moof", pssh(), traf(1)) + box(b"mdat")
    head, count, entries = one_track(), octets // 2 // len(one), octets // 2 // 11
    entry = lambda at: u32(0) + u32(len(head) + at % count * len(one)) + b"\1\1\1"
    tfra = full(b"tfra", 0, 0, u32(1), u32(0), u32(entries), *map(entry, range(entries)))
    return head + one * count + box(b"mfra", tfra)


def moofs_to_the_end(octets):
    """Segments of an index whose `moof` each claims all the rest, in a clear file."""
    size = 8 + len(traf(1))
    count = min(65535, octets // (12 + size))
    moofs = b"".join(u32((count - at) * size) + b"moof" + traf(1) for at in range(count))
    return one_track(entry=clear()) + sidx(*[u32(size) + u32(10) + u32(0x90000000)] * count) + moofs


def clear_tracks_in_a_fragment(octets):
    """Each has a sample of an octet, again and again."""
    run = lambda track, at: traf(track, trun(1, at), size=1)
    count = octets // 2 // (len(trak(1, clear())) + len(trex(1)))
    tracks, runs = range(1, count + 1), range(octets // 2 // (len(run(1, 0)) + 1))
    moof = lambda at: box(b"moof", *[run(1 + number % count, at + number) for number in runs])
    head = movie([trak(track, clear()) for track in tracks], map(trex, tracks))
    return head + fragment(moof) + box(b"mdat", bytes(len(runs)))


def clear_tracks(octets):
    one = trak(1, clear())
    count = octets // (len(one) + len(trex(1)))
    tracks = range(1, count + 1)
    return movie([trak(track, clear()) for track in tracks], map(trex, tracks)) + END
