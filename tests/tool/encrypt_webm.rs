//! `clearkey encrypt` over WebM: what it writes decrypts in every way to the frames there were.

use std::fs;

use crate::{
    frames,
    support::{Dir, Way, clearkey, media, run},
};

const VIDEO: &str = "10000000100010001000100000000001:3a2a1b68dd2bd9b2eeb25e84c4776668";
/// Key ids of WebM have any length; this is one of three octets, in base64url.
const AUDIO: &str = "AQID:550727de4c96ef1ecff874905493580f";

/// Tracks, times and data of all frames.
fn all(file: &[u8]) -> Vec<(u64, u64, Vec<u8>)> {
    let frames = frames::read(file).into_iter();
    frames.map(|frame| (frame.track, frame.timestamp, frame.data)).collect()
}

#[test]
fn what_is_encrypted_is_decrypted() {
    let dir = Dir::new();
    for name in ["vp8_vorbis.webm", "vp9_opus.webm"] {
        let path = media(&format!("../clear/{name}"));
        let clear = all(&fs::read(&path).unwrap());
        for lead in [&[][..], &["--clear-lead", "1.5"]] {
            let out = dir.path(name);
            let mut command = clearkey();
            command.arg("encrypt").arg(&path).arg("-o").arg(&out).args(lead);
            for key in [format!("video={VIDEO}"), format!("audio={AUDIO}")] {
                command.args(["--track", &key]);
            }
            run(&mut command).done();
            let encrypted = fs::read(&out).unwrap();
            for way in Way::ALL {
                let output = way.decrypt(&encrypted, &[VIDEO.to_owned(), AUDIO.to_owned()]);
                assert!(all(&output) == clear, "{name} {lead:?} {way:?}");
                assert!(frames::is_clear(&output), "{name} {lead:?} {way:?}");
                assert!(frames::targets(&output).contains(&frames::CLUSTER), "{name} {way:?}");
            }
        }
    }
}
