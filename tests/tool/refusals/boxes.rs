//! Files that contradict themselves: exit code 2, and the message names the box and where it stands.

use crate::{
    boxes::{BoxAt, find},
    make::{AuxAt, Entry, Form, Made, Movie, Protected, Senc, Setting, Track, refused, write},
    support::{Way, assert_same, key_args},
};

/// Video and audio in two fragments, with `senc` only.
fn fragmented() -> Made {
    let protected = |kid| Protected { aux: AuxAt::Nowhere, ..Protected::cenc(kid) };
    let tracks = [Track::video(1).protect(protected(1)), Track::audio(2).protect(protected(2))];
    Movie::fragmented(tracks).make()
}

/// A file with a change, and the box in which it is.
struct Changed {
    file: Vec<u8>,
    keys: Vec<String>,
    place: BoxAt,
}

/// Overwrites a part of the body of the `number`th box with that path.
fn changed(made: &Made, path: &str, number: usize, offset: usize, bytes: &[u8]) -> Changed {
    let mut file = made.protected.clone();
    let place = find(&file, path)[number].clone();
    file[place.body + offset..][..bytes.len()].copy_from_slice(bytes);
    Changed { file, keys: made.keys.clone(), place }
}

impl Changed {
    /// Asks for a refusal that names `path` at the offset of the change's box, or of another.
    #[track_caller]
    fn refused_at(&self, path: &str, at: usize, says: &[&str]) {
        let place = format!("`{path}` at byte {at}");
        refused(&self.file, &self.keys, &[&[place.as_str()], says].concat());
    }

    #[track_caller]
    fn refused(&self, says: &[&str]) {
        self.refused_at(&self.place.path, self.place.at, says);
    }
}

const SENC: &str = "moof/traf/senc";
const TRUN: &str = "moof/traf/trun";

#[test]
fn unknown_schemes() {
    let path = "moov/trak/mdia/minf/stbl/stsd/enca/sinf/schm";
    let unknown = changed(&fragmented(), path, 0, 4, b"adkm");
    let sinf = find(&unknown.file, "moov/trak/mdia/minf/stbl/stsd/enca/sinf")[0].at;
    let path = "moov/trak/mdia/minf/stbl/stsd/enca/sinf";
    unknown.refused_at(path, sinf, &["unsupported protection scheme `adkm`"]);
}

#[test]
fn fewer_entries_than_samples() {
    let protected = |senc| Protected { senc, aux: AuxAt::Nowhere, ..Protected::cenc(1) };
    let (video, audio) = (Track::video(1), Track::audio(1));
    for (track, senc, says) in [
        (&video, Senc::Short, "fewer entries than there are samples"),
        (&audio, Senc::Short, "fewer entries than there are samples"),
        (&video, Senc::Cut, "clear and protected sizes"),
        (&audio, Senc::Cut, "ends inside its field InitializationVector"),
    ] {
        let tracks = [track.clone().protect(protected(senc))];
        Movie::fragmented(tracks.clone()).make().refused(&["`moof/traf/senc` at byte ", says]);
        Movie::progressive(tracks).make().refused(&["/stbl/senc` at byte ", says]);
    }
}

#[test]
fn neither_senc_nor_saio() {
    let lost = changed(&fragmented(), SENC, 2, 0, &[0; 0]);
    let mut file = lost.file;
    file[lost.place.at + 4..][..4].copy_from_slice(b"free");
    let traf = find(&file, "moof/traf")[2].at;
    let place = format!("`moof/traf` at byte {traf}");
    refused(&file, &lost.keys, &[&place, "sample 0 of track 1"]);
}

#[test]
fn subsamples_that_do_not_add_up() {
    // The first entry: an IV of 8 bytes, a count, and then (clear, protected).
    for (offset, bytes) in [
        (8 + 8 + 2, &[0, 6][..]),
        (8 + 8 + 2, &[0, 0]),
        (8 + 8 + 2 + 2, &[0xff; 4]),
        (8 + 8 + 2 + 5, &[0]),
    ] {
        changed(&fragmented(), SENC, 2, offset, bytes)
            .refused(&["sample 0 of track 1", "subsamples cover"]);
    }
}

#[test]
fn cbc1_subsamples_of_broken_blocks() {
    let protected = Protected::new(cenc::Scheme::Cbc1, Setting::new(1));
    let protected = Protected { aux: AuxAt::Nowhere, ..protected };
    let made =
        Movie::fragmented([Track::new(1, Entry::Video, &[100; 4]).protect(protected)]).make();
    // One byte of the first protected run goes over to the clear run before it.
    let broken = changed(&made, SENC, 1, 8 + 8 + 2, &[0, 6, 0, 0, 0, 47]);
    broken.refused(&["sample 0 of track 1", "multiples of 16"]);
}

#[test]
fn auxiliary_information_beyond_the_file() {
    let protected = Protected { senc: Senc::Absent, aux: AuxAt::Data, ..Protected::cenc(1) };
    let tracks = [Track::video(1).protect(protected.clone())];
    let fragmented = Movie::fragmented(tracks.clone()).make();
    let progressive = Movie::progressive(tracks).make();
    for (made, path) in
        [(fragmented, "moof/traf/saio"), (progressive, "moov/trak/mdia/minf/stbl/saio")]
    {
        let number = find(&made.protected, path).len() - 1;
        // Version and flags, the type and its parameter, the count; then 64 bits each.
        for offset in [made.protected.len() as u64, 1 << 40, u64::MAX - 1, u64::MAX / 2] {
            let astray = changed(&made, path, number, 16, &offset.to_be_bytes());
            astray.refused(&["auxiliary information", "beyond the end of the input"]);
        }
        let twice = changed(&made, path, number, 12, &[0, 0, 0, 2]);
        refused(&twice.file, &twice.keys, &[path, "2 entries of offset"]);
        let saiz = path.replace("saio", "saiz");
        let short = changed(&made, &saiz, number, 13, &[0, 0, 0, 1]);
        short.refused(&["sample_count is 1"]);
    }
}

#[test]
fn samples_over_each_other() {
    let made = fragmented();
    let [first, second] = [2, 3].map(|trun| find(&made.protected, TRUN)[trun].body + 8);
    let mut file = made.protected.clone();
    let offset = |file: &[u8], at: usize| u32::from_be_bytes(*file[at..].first_chunk().unwrap());
    let (video, audio) = (offset(&file, first), offset(&file, second));
    let mut put = |at: usize, value: u32, says: &str| {
        let before = file.clone();
        file[at..at + 4].copy_from_slice(&value.to_be_bytes());
        refused(&file, &made.keys, &["of track ", says]);
        file = before;
    };
    // The audio where the video is, and one byte too early.
    put(second, video, "lies over another sample");
    put(second, audio - 1, "lies over another sample");
    // In the header of its fragment, before it, behind the file.
    put(first, 100, "lies over a header box");
    put(first, (-100_i32).cast_unsigned(), "lie before their fragment");
    put(first, 1 << 24, "lie beyond the end of the input");
    put(second, i32::MAX.cast_unsigned(), "lie beyond the end of the input");
}

#[test]
fn chunks_that_lie_where_they_cannot() {
    let tracks =
        [Track::video(1).protect(Protected::cenc(1)), Track::audio(2).protect(Protected::cenc(2))];
    let made = Movie::progressive(tracks).with(|layout| layout.runs = 2).make();
    let stco = "moov/trak/mdia/minf/stbl/stco";
    let moov = find(&made.protected, "moov")[0].at as u32 + 20;
    let first = find(&made.protected, stco)[0].body + 8;
    let first = *made.protected[first..].first_chunk::<4>().unwrap();
    for (offset, says) in [
        (moov.to_be_bytes(), "lies over a header box"),
        ([0; 4], "lie"),
        (first, "lies over another sample"),
        (u32::MAX.to_be_bytes(), "lie beyond the end of the input"),
    ] {
        let astray = changed(&made, stco, 1, 8, &offset);
        refused(&astray.file, &astray.keys, &[says]);
    }
}

#[test]
fn groups_that_are_not_there() {
    let protected = Protected {
        local: vec![vec![Setting::new(3)], vec![Setting::new(4)]],
        ..Protected::cenc(1)
    };
    let track = Track::video(1).protect(protected).groups(&[0x1_0001; 8]);
    let made = Movie::fragmented([track]).make();
    // Version, flags, type, count; then the count of samples, and their index.
    for index in [0x1_0002_u32, 0x1_ffff, 1, 0xffff, u32::MAX] {
        let sbgp = changed(&made, "moof/traf/sbgp", 1, 16, &index.to_be_bytes());
        sbgp.refused(&["no `seig` entry has the group index"]);
    }
    for count in [5_u32, u32::MAX] {
        let sbgp = changed(&made, "moof/traf/sbgp", 1, 12, &count.to_be_bytes());
        sbgp.refused(&["cover more than the 4 samples"]);
    }
    // The same boxes in their compact form, which nobody was met who writes it.
    let mut compact = changed(&made, "moof/traf/sbgp", 1, 0, &[0; 0]);
    compact.file[compact.place.at + 4..][..4].copy_from_slice(b"csgp");
    compact.refused_at("moof/traf/csgp", compact.place.at, &["not supported"]);
}

#[test]
fn tracks_that_are_not_clear() {
    let made = fragmented();
    // Version, flags, two times; then the track id.
    let twice = changed(&made, "moov/trak/tkhd", 1, 12, &[0, 0, 0, 1]);
    refused(&twice.file, &twice.keys, &["`moov` at byte", "two tracks with the same id"]);
    let unknown = changed(&made, "moof/traf/tfhd", 3, 4, &[0, 0, 0, 9]);
    unknown.refused(&["track 9 is not in `moov`"]);
}

#[test]
fn values_that_are_reserved() {
    let made = fragmented();
    let tenc = "moov/trak/mdia/minf/stbl/stsd/encv/sinf/schi/tenc";
    let tenc = |offset, byte: u8| changed(&made, tenc, 0, offset, &[byte]);
    for (change, says) in [
        (tenc(6, 2), "isProtected is 2"),
        (tenc(7, 4), "an IV size of 4"),
        (tenc(6, 0), "an IV size of 8 for clear samples"),
        (changed(&made, SENC, 3, 0, &[1]), "version 1"),
    ] {
        refused(&change.file, &change.keys, &[&format!("`{}`", change.place.path), says]);
    }
    // A pattern, and a scheme that has none.
    let mut made = made;
    let tenc = find(&made.protected, "moov/trak/mdia/minf/stbl/stsd/encv/sinf/schi/tenc")[0].body;
    made.protected[tenc] = 1;
    made.protected[tenc + 5] = 0x19;
    made.refused(&["/tenc`", "pattern 1:9 with scheme cenc"]);
}

/// Items can lie anywhere. They stay where they are, unless something is to be taken out.
#[test]
fn item_locations() {
    let made = fragmented();
    for version_and_flags in [&[0; 4][..], &[]] {
        let iloc = write(Form::Protected, |out| {
            out.boxed(b"meta", |out| {
                out.put(version_and_flags);
                out.full(b"hdlr", 0, 0, |out| out.zeros(21));
                out.full(b"iloc", 0, 0, |out| out.zeros(4));
            });
        });
        let file = [&made.protected[..], &iloc].concat();
        let clear = [&made.default[..], &iloc].concat();
        for way in Way::ALL {
            if way.is_compact() {
                let (run, ..) = way.run(&file, &key_args(&made.keys));
                let place = format!("`meta` at byte {}", made.protected.len());
                run.refused(2, &[&place, "iloc", "not supported"]);
            } else {
                assert_same(&way.decrypt(&file, &made.keys), &clear, &format!("{way:?}"));
            }
        }
    }
}
