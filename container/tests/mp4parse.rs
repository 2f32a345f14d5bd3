//! The movie headers of the fixtures, read by Mozilla's `mp4parse` as well: the two readers have
//! nothing in common, so where both read, they must find the same.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

#[expect(dead_code, reason = "other tests have more use for it")]
mod clear;
#[expect(dead_code, reason = "other tests have more use for it")]
mod common;

use cenc::{Iv, Scheme};
use clear::{PER_SAMPLE_8, clear, rewriting::encrypted, seconds, settings};
use common::{laws::plans, media, mp4_fixtures};
use container::{
    EntryProtection, EntrySummary, FourCc, Plan,
    encrypt::{IvSettings, Settings},
};
use mp4parse::{MediaContext, ProtectionSchemeInfoBox, SampleEntry, Status, TrackType};

/// What `mp4parse` does with a file that it does not read to the end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Unread {
    /// It refuses the file.
    File,
    /// It leaves the sample entries unknown, and with them how they are protected.
    Entries,
}

const BENTO4: &str = "mp4encrypt writes `avcC` twice, which is a StsdBadVideoSampleEntry";

/// The files that `mp4parse` does not read, each with the reason.
const UNREAD: [(&str, Unread, &str); 5] = [
    ("b4_cenc_avc_aac_fragb4.mp4", Unread::File, BENTO4),
    ("b4_cenc_opt_no-senc.mp4", Unread::File, BENTO4),
    ("b4_piff-cbc_avc_aac_fragb4.mp4", Unread::File, BENTO4),
    ("b4_piff-ctr_avc_aac_fragb4.mp4", Unread::File, BENTO4),
    ("gpac_cbcs_frag_hevc_eac3.mp4", Unread::Entries, "it knows neither HEVC nor E-AC-3"),
];

#[test]
fn both_readers_find_the_same() {
    let mut names: Vec<_> = mp4_fixtures().into_iter().map(|fixture| fixture.name).collect();
    names.push("segments/a_init.mp4".to_owned());
    let mut agree = 0;
    for name in &names {
        let bytes = media(name);
        let plan = movie_header(&bytes);
        let theirs = mp4parse::read_mp4(&mut bytes.as_slice());
        let unread = UNREAD.iter().find(|(file, ..)| file == name).map(|(_, unread, _)| *unread);
        match (theirs, unread) {
            (
                Err(mp4parse::Error::InvalidData(Status::StsdBadVideoSampleEntry)),
                Some(Unread::File),
            ) => {}
            (Ok(theirs), None | Some(Unread::Entries)) => {
                assert_same(&plan, &theirs, unread.is_some(), name);
                agree += usize::from(unread.is_none());
            }
            (theirs, _) => panic!("{name}: {unread:?} was expected: {:?}", theirs.map(drop)),
        }
    }
    assert_eq!((names.len(), agree), (29, 24));
    assert!(UNREAD.iter().all(|(file, ..)| names.iter().any(|name| name == file)));
}

/// `is_unknown`: `mp4parse` does not know the sample entries.
fn assert_same(plan: &Plan, theirs: &MediaContext, is_unknown: bool, name: &str) {
    assert_eq!(tracks(plan), their_tracks(theirs), "{name}");
    assert_eq!(init_data(plan), their_init_data(theirs), "{name}");
    let ours = plan.tracks().iter().flat_map(|track| &track.entries);
    for (ours, theirs) in ours.zip(their_entries(theirs)) {
        match is_unknown {
            true => assert!(matches!(theirs, SampleEntry::Unknown), "{name}"),
            false => assert_entry(ours, theirs, name),
        }
    }
}

#[test]
fn both_readers_find_the_same_in_what_is_encrypted_here() {
    let pssh = [&[0, 0, 0, 32], b"pssh".as_slice(), &[0; 24]].concat();
    for name in ["avc_aac.mp4", "avc_aac_frag.mp4", "av1_opus.mp4", "vp9_opus.mp4", "flac.mp4"] {
        let input = clear(name);
        let constant = IvSettings::Constant(Iv::from([3; 16]));
        for (scheme, iv) in
            [(Scheme::Cenc, PER_SAMPLE_8), (Scheme::Cens, PER_SAMPLE_8), (Scheme::Cbcs, constant)]
        {
            let all = settings(&input, scheme, iv);
            let settings = Settings { pssh: vec![pssh.clone()], clear_lead: seconds(1.0), ..all };
            let output = encrypted(&input, &settings, 1 << 20).unwrap();
            let theirs = mp4parse::read_mp4(&mut output.as_slice()).unwrap();
            assert_same(&movie_header(&output), &theirs, false, name);
        }
    }
}

/// The plan of the unit with the `moov` box.
fn movie_header(bytes: &[u8]) -> Plan {
    let mut plans = plans(bytes).unwrap().into_iter().filter(|plan| !plan.tracks().is_empty());
    let plan = plans.next().unwrap();
    assert!(plans.next().is_none());
    plan
}

/// Id, handler and number of entries of each track.
fn tracks(plan: &Plan) -> Vec<(u32, FourCc, usize)> {
    plan.tracks().iter().map(|track| (track.id, track.handler, track.entries.len())).collect()
}

fn their_tracks(theirs: &MediaContext) -> Vec<(u32, FourCc, usize)> {
    let tracks = theirs.tracks.iter().map(|track| {
        let handler = match &track.track_type {
            TrackType::Audio => b"soun",
            TrackType::Video => b"vide",
            other => panic!("a track of type {other:?}"),
        };
        let entries = track.stsd.as_ref().unwrap().descriptions.len();
        (track.track_id.unwrap(), FourCc(*handler), entries)
    });
    tracks.collect()
}

/// The `pssh` boxes, one after the other.
fn init_data(plan: &Plan) -> Vec<u8> {
    plan.init_data().iter().flat_map(|data| data.bytes.iter().copied()).collect()
}

fn their_init_data(theirs: &MediaContext) -> Vec<u8> {
    theirs.psshs.iter().flat_map(|pssh| pssh.box_content.iter().copied()).collect()
}

fn their_entries(theirs: &MediaContext) -> impl Iterator<Item = &SampleEntry> {
    let tables = theirs.tracks.iter().map(|track| track.stsd.as_ref().unwrap());
    tables.flat_map(|table| table.descriptions.iter())
}

fn assert_entry(ours: &EntrySummary, theirs: &SampleEntry, name: &str) {
    let theirs = match theirs {
        SampleEntry::Audio(entry) => &entry.protection_info,
        SampleEntry::Video(entry) => &entry.protection_info,
        SampleEntry::Unknown => panic!("{name}: an unknown entry for {ours:?}"),
    };
    match (&ours.protection, theirs.as_slice()) {
        (None, []) => {}
        (Some(protection), [theirs]) => assert_protection(&ours.format, protection, theirs, name),
        _ => panic!("{name}: {ours:?} and {theirs:?}"),
    }
}

fn assert_protection(
    format: &str,
    ours: &EntryProtection,
    theirs: &ProtectionSchemeInfoBox,
    name: &str,
) {
    let scheme_type = &theirs.scheme_type.as_ref().unwrap().scheme_type;
    assert_eq!(
        (format.as_bytes(), ours.scheme_type.0),
        (&theirs.original_format.value[..], scheme_type.value)
    );
    assert_eq!(ours.scheme.fourcc(), scheme_type.value, "{name}");
    let theirs = theirs.tenc.as_ref().unwrap();
    assert_eq!(u8::from(ours.is_protected), theirs.is_encrypted, "{name}");
    assert_eq!(ours.iv_size.unwrap_or(0), theirs.iv_size, "{name}");
    assert_eq!(ours.kid.as_bytes(), theirs.kid.as_slice(), "{name}");
    assert_eq!(
        (ours.pattern.crypt_byte_block(), ours.pattern.skip_byte_block()),
        // Absent in version 0.
        (theirs.crypt_byte_block_count.unwrap_or(0), theirs.skip_byte_block_count.unwrap_or(0)),
        "{name}"
    );
    let constant_iv = theirs.constant_iv.as_ref().map(|iv| Iv::new(iv).unwrap());
    assert_eq!(ours.constant_iv, constant_iv, "{name}");
}
