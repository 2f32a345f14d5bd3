//! Small things that there is a great number of.

use crate::{
    boxes::find,
    hostile::{Expected, Header, MEBIBYTE, check, constant_iv, fragment, mdat},
    make::{Entry, Form, Movie, Protected, Setting, Sizes, Track, key, noise, write},
};

/// A million samples that cost the file nothing but their bytes.
#[test]
fn samples_of_one_byte() {
    let header = Header::new(constant_iv());
    let count = MEBIBYTE - 2048;
    let one = |data: u32| {
        fragment(1, |out| out.full(b"trun", 0, 1, |out| out.fields([count as u32, data])))
    };
    let moof = one(one(0).len() as u32 + 8);
    let file = [&header.protected[..], &moof, &mdat(count)].concat();
    let mut clear = [&header.clear[..], &moof, &mdat(count)].concat();

    let data = clear.len() - count;
    decrypt_bytes(&mut clear[data..]);
    check(&file, &header.keys, Expected::Done(&clear));
}

/// Half a million samples of one byte, in nibbles.
#[test]
fn samples_of_half_a_byte_of_table() {
    let track = Track::new(1, Entry::Audio(b"mp4a"), &vec![1; 600_000]);
    let track = track.protect_whole(constant_iv());
    let movie = Movie::progressive([track]);
    let made = movie.with(|layout| layout.sizes = Sizes::Stz2(4)).make();
    check(&made.protected, &made.keys, Expected::Done(&made.default));
}

/// Samples of no bytes, as many in each run as are allowed there.
#[test]
fn runs_of_empty_samples() {
    let header = Header::new(constant_iv());
    let runs = (MEBIBYTE - header.protected.len() - 64) / 16;
    let moof = fragment(0, |out| {
        for _ in 0..runs {
            out.full(b"trun", 0, 0, |out| out.u32(1024));
        }
    });
    header.check_refused_with(&moof, "the number of samples is");
}

#[test]
fn runs_over_the_same_data() {
    let moof = fragment(1000, |out| {
        for _ in 0..50_000 {
            out.full(b"trun", 0, 1, |out| out.fields([1, 1_010_000]));
        }
    });
    Header::new(constant_iv()).check_refused_with(&moof, "lie over others");
}

/// Each of them says nothing, and is right.
#[test]
fn fragments() {
    let header = Header::new(constant_iv());
    header.check_done_with(&b"\0\0\0\x08moof".repeat((MEBIBYTE - header.clear.len()) / 8));
}

/// The same behind a header of many groups, any of which a fragment could use.
#[test]
fn fragments_behind_a_large_header() {
    let groups = vec![Setting::new(1); 20_000];
    let header = Header::new(Protected { groups, ..Protected::cenc(1) });
    header.check_done_with(&b"\0\0\0\x08moof".repeat((MEBIBYTE - header.clear.len()) / 8));
}

/// Parts of one fragment, of a track that many sample entries give a default key id each.
#[test]
fn parts_of_a_fragment_behind_many_sample_entries() {
    let header = Header::new(constant_iv());
    let (protected, clear) = (with_entries(&header.protected), with_entries(&header.clear));
    let traf = b"\0\0\0\x18traf\0\0\0\x10tfhd\0\x02\0\0\0\0\0\x01";
    let count = (MEBIBYTE - protected.len() - 8) / traf.len();
    let moof = write(Form::Protected, |out| out.boxed(b"moof", |out| out.put(&traf.repeat(count))));
    let header = Header { protected, clear, ..header };
    header.check_done_with(&moof);
}

/// A header whose only sample entry is there many times, with other key ids.
fn with_entries(file: &[u8]) -> Vec<u8> {
    let path = ["moov", "trak", "mdia", "minf", "stbl", "stsd"];
    let found = |depth: usize| find(file, &path[..=depth].join("/"))[0].clone();
    let stsd = found(path.len() - 1);
    let entry = &file[stsd.at + 16..stsd.end];
    let count = MEBIBYTE / 2 / entry.len();
    let mut entries = Vec::new();
    for number in 0..count as u32 {
        let start = entries.len();
        entries.extend_from_slice(entry);
        if let Some(at) = entry.windows(16).position(|octets| octets == [1; 16]) {
            entries[start + at..][..4].copy_from_slice(&number.to_be_bytes());
        }
    }
    let places: Vec<_> = (0..path.len()).map(found).collect();
    let mut file = [&file[..stsd.end], &entries, &file[stsd.end..]].concat();
    for place in places {
        let size = (place.end - place.at + entries.len()) as u32;
        file[place.at..][..4].copy_from_slice(&size.to_be_bytes());
    }
    file[stsd.at + 12..][..4].copy_from_slice(&(count as u32 + 1).to_be_bytes());
    file
}

/// Fragments that each look for their samples at the end of the file.
#[test]
fn fragments_with_far_samples() {
    let header = Header::new(constant_iv());
    let moof = |ahead: usize| {
        fragment(1, |out| {
            out.full(b"trun", 0, 1, |out| out.fields([1, ahead as u32]));
        })
    };
    let len = moof(0).len();
    let count = 8000;
    // The sample of each lies behind all of them.
    let moofs: Vec<u8> =
        (0..count).flat_map(|number| moof((count - number) * len + 8 + number)).collect();
    let data = mdat(count);
    let file = [&header.protected[..], &moofs, &data].concat();
    let mut clear = [&header.clear[..], &moofs, &data].concat();
    let data = clear.len() - count;
    decrypt_bytes(&mut clear[data..]);
    check(&file, &header.keys, Expected::Done(&clear));
}

#[test]
fn movie_headers() {
    let header = Header::new(constant_iv());
    let count = MEBIBYTE / header.protected.len();
    let (file, clear) = (header.protected.repeat(count), header.clear.repeat(count));
    check(&file, &header.keys, Expected::Done(&clear));
}

#[test]
fn pssh_boxes() {
    let header = Header::new(constant_iv());
    for between in [&b""[..], b"\0\0\0\x08skip"] {
        let pssh = [b"\0\0\0\x08pssh", between].concat();
        let count = (MEBIBYTE - header.protected.len() - 8) / pssh.len();
        let moof = |pssh: &[u8]| {
            write(Form::Protected, |out| out.boxed(b"moof", |out| out.put(&pssh.repeat(count))))
        };
        let free = [b"\0\0\0\x08free", between].concat();
        let file = [header.protected.clone(), moof(&pssh)].concat();
        let clear = [header.clear.clone(), moof(&free)].concat();
        check(&file, &header.keys, Expected::Done(&clear));
    }
}

/// Offsets that `--compact` corrects one by one.
#[test]
fn offsets() {
    let [protected, clear] = [Track::audio(1).protect_whole(constant_iv()), Track::audio(2)];
    let header = Header::of([protected, clear]);
    let count = (MEBIBYTE - header.protected.len() - 64) / 4;
    let moof = write(Form::Protected, |out| {
        out.boxed(b"moof", |out| {
            out.boxed(b"traf", |out| {
                out.full(b"tfhd", 0, 0x2_0000, |out| out.u32(2));
                out.full(b"saio", 0, 0, |out| {
                    out.u32(count as u32);
                    out.zeros(count * 4);
                });
            });
        });
    });
    header.check_done_with(&moof);
    let mfra = write(Form::Protected, |out| {
        out.boxed(b"mfra", |out| {
            out.full(b"tfra", 0, 0, |out| {
                let entries = count * 4 / 11 - 4;
                out.fields([1, 0, entries as u32]);
                out.zeros(entries * 11);
            });
        });
    });
    header.check_done_with(&mfra);
}

#[test]
fn boxes_in_boxes() {
    let header = Header::new(constant_iv());
    for kind in [b"udta", b"mfra", b"meta"] {
        header.check_done_with(&nested(kind));
    }
    let traf = write(Form::Protected, |out| out.boxed(b"moof", |out| out.put(&nested(b"traf"))));
    for (boxes, says) in [
        (nested(b"moov"), "`moov/moov` at byte "),
        (nested(b"moof"), "`moof/moof` at byte "),
        (traf, "`moof/traf` at byte "),
    ] {
        let file = [&header.protected[..], &boxes].concat();
        check(&file, &header.keys, Expected::Refused(says));
    }
    // Inside the header, where `--compact` corrects sizes.
    let within = |file: &[u8]| {
        let moov = find(file, "moov")[0].clone();
        let nested = nested(b"udta");
        let size = (moov.end - moov.at + nested.len()) as u32;
        let before = [&file[..moov.at], &size.to_be_bytes(), &file[moov.at + 4..moov.end]].concat();
        [&before[..], &nested, &file[moov.end..]].concat()
    };
    let clear = within(&header.clear);
    check(&within(&header.protected), &header.keys, Expected::Done(&clear));
}

/// As many boxes of a kind, each inside of the one before, as a file has room for.
fn nested(kind: &[u8; 4]) -> Vec<u8> {
    let levels = MEBIBYTE / 8 - 512;
    let size = |level: usize| (8 * (levels - level)) as u32;
    (0..levels).flat_map(|level| [size(level).to_be_bytes(), *kind]).flatten().collect()
}

/// Decrypts samples of one byte, which are protected as [`constant_iv`] says.
fn decrypt_bytes(samples: &mut [u8]) {
    let key = cenc::Key::new(&key([1; 16]));
    let iv = cenc::Iv::new(&noise(1, 16)).unwrap();
    let pattern = cenc::Pattern::NONE;
    let encryption = cenc::SampleEncryption::new(cenc::Scheme::Cenc, iv, pattern, None).unwrap();
    for sample in samples.chunks_mut(1) {
        cenc::decrypt_sample(&key, &encryption, sample).unwrap();
    }
}
