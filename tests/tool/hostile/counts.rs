//! Tables that say they are huge.

use crate::{
    boxes::find,
    hostile::{Expected, Header, MEBIBYTE, check, constant_iv, fragment, mdat},
    make::{Movie, Protected, Track, Writer},
};

/// Refuses a fragment of a track with this protection and one sample of 16 bytes.
#[track_caller]
fn refused(protected: Protected, says: &str, boxes: impl Fn(&mut Writer<'_>)) {
    let fragment = fragment(0, |out| {
        out.full(b"trun", 0, 0x201, |out| out.fields([1, 4096, 16]));
        boxes(out);
    });
    Header::new(protected).check_refused_with(&fragment, says);
}

#[test]
fn trun() {
    for (flags, size, says) in [
        (0, 0, "the number of empty samples in a run"),
        (0, 1, "lie beyond the end of the input"),
        (0x100, 0, "entries of sample, 4 bytes each"),
        (0x200, 0, "entries of sample, 4 bytes each"),
        (0xf00, 0, "entries of sample, 16 bytes each"),
    ] {
        let fragment = fragment(size, |out| out.full(b"trun", 0, flags, |out| out.u32(u32::MAX)));
        Header::new(constant_iv()).check_refused_with(&fragment, says);
    }
}

#[test]
fn senc() {
    refused(Protected::cenc(1), "ends inside its field InitializationVector", |out| {
        out.full(b"senc", 0, 0, |out| out.u32(u32::MAX));
    });
    refused(Protected::cenc(1), "65535 entries of clear and protected sizes", |out| {
        out.full(b"senc", 0, 2, |out| {
            out.u32(u32::MAX);
            out.zeros(8);
            out.u16(u16::MAX);
        });
    });
    refused(Protected::cenc(1), "subsamples cover 0 bytes", |out| {
        out.full(b"senc", 0, 2, |out| {
            out.u32(u32::MAX);
            out.zeros(8);
            out.u16(u16::MAX);
            out.zeros(6 * usize::from(u16::MAX));
        });
    });
}

#[test]
fn saiz_and_saio() {
    for (default, says) in [(0, "entries of sample_info_size"), (255, "255 bytes of auxiliary")] {
        refused(Protected::cenc(1), says, |out| {
            out.full(b"saiz", 0, 0, |out| {
                out.u8(default);
                out.u32(u32::MAX);
            });
            out.full(b"saio", 0, 0, |out| out.fields([1, 0]));
        });
    }
    refused(Protected::cenc(1), "entries of offset", |out| {
        out.full(b"saiz", 0, 0, |out| {
            out.u8(8);
            out.u32(1);
        });
        out.full(b"saio", 0, 0, |out| out.u32(u32::MAX));
    });
}

#[test]
fn sgpd_and_sbgp() {
    for (version, length) in
        [(0, None), (1, Some(0)), (1, Some(20)), (1, Some(u32::MAX)), (2, Some(0))]
    {
        refused(Protected::cenc(1), "moof/traf/sgpd", |out| {
            out.full(b"sgpd", version, 0, |out| {
                out.put(b"seig");
                length.into_iter().for_each(|length| out.u32(length));
                if version == 2 {
                    out.u32(0);
                }
                out.u32(u32::MAX);
                out.u32(0);
            });
        });
    }
    refused(constant_iv(), "cover more than the 1 samples", |out| {
        out.full(b"sbgp", 0, 0, |out| {
            out.put(b"seig");
            out.fields([1, u32::MAX, 0]);
        });
    });
    refused(constant_iv(), "sample_count and group_description_index", |out| {
        out.full(b"sbgp", 0, 0, |out| {
            out.put(b"seig");
            out.fields([u32::MAX, u32::MAX, 0]);
        });
    });
}

#[test]
fn sample_tables() {
    let made = Movie::progressive([Track::audio(1).protect_whole(constant_iv())]).make();
    // Behind version and flags.
    let table =
        |name: &str| find(&made.protected, &format!("moov/trak/mdia/minf/stbl/{name}"))[0].body + 4;
    let [one, max] = [1, u32::MAX].map(u32::to_be_bytes);
    let million_of_one = [one, 1_000_000_u32.to_be_bytes()].concat();
    let all_of_one = [one, max].concat();
    for (changes, says) in [
        (vec![(table("stsz") + 4, &max[..])], "entries of entry_size"),
        (vec![(table("stsz"), &all_of_one)], "the chunks hold"),
        (
            vec![(table("stsz"), &all_of_one), (table("stsc") + 8, &max)],
            "lie beyond the end of the input",
        ),
        (vec![(table("stsz"), &million_of_one)], "the chunks hold 6 samples"),
        (vec![(table("stsc"), &max)], "entries of sample_to_chunk"),
        (vec![(table("stco"), &max)], "entries of chunk_offset"),
    ] {
        let mut file = made.protected.clone();
        for (at, bytes) in changes {
            file[at..at + bytes.len()].copy_from_slice(bytes);
        }
        let rest = mdat(MEBIBYTE - 8 - file.len());
        check(&[file, rest].concat(), &made.keys, Expected::Refused(says));
    }
}
