//! How FFmpeg makes a file that a manifest can lead to.

use std::path::Path;

use container::Track;

use super::tracks::Kind;

/// One `sidx` in front, whose references lead to fragments.
const MP4: &str = "+delay_moov+default_base_moof+dash+global_sidx";

/// The command lines that make files of one track with an index in front of an input, each on a line of its
/// own.
pub(super) fn ffmpeg(input: &Path, tracks: &[Track], is_webm: bool) -> String {
    let mut lines = String::new();
    let (mut videos, mut audios) = (0, 0);
    for track in tracks {
        let Some(kind) = Kind::of(track) else { continue };
        let (stream, number) = match kind {
            Kind::Video => ("v", &mut videos),
            Kind::Audio => ("a", &mut audios),
        };
        // To older versions of FFmpeg this is an experiment.
        let is_experimental = !is_webm && track.entries.iter().any(|entry| entry.format == "fLaC");
        let strict = if is_experimental { "-strict -2 " } else { "" };
        let options = match (is_webm, kind) {
            // A fragment for each key frame; of sound, which has nothing else, every two seconds.
            (false, Kind::Video) => format!("-movflags +frag_keyframe{MP4}"),
            (false, Kind::Audio) => format!("-frag_duration 2000000 -movflags {MP4}"),
            (true, Kind::Video) => "-cues_to_front 1".to_owned(),
            (true, Kind::Audio) => "-cluster_time_limit 2000 -cues_to_front 1".to_owned(),
        };
        let output = output(input, stream, *number, is_webm);
        let (input, output) = (quoted(input), quoted(Path::new(&output)));
        lines += &format!(
            "\n  ffmpeg -i {input} -map 0:{stream}:{number} -c copy {strict}{options} {output}"
        );
        *number += 1;
    }
    lines
}

/// A name for the file beside the input.
fn output(input: &Path, stream: &str, number: u32, is_webm: bool) -> std::ffi::OsString {
    let kind = if stream == "v" { "video" } else { "audio" };
    let number = if number == 0 { String::new() } else { (number + 1).to_string() };
    let extension = if is_webm { "webm" } else { "mp4" };
    let mut name = input.with_extension("").into_os_string();
    name.push(format!("-{kind}{number}.{extension}"));
    name
}

/// A path as a shell wants it.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    // A path that looks like an option, or like a protocol of FFmpeg.
    let text = match text.starts_with('-') || text.contains(':') && !text.starts_with(['/', '.']) {
        true => format!("./{text}"),
        false => text.into_owned(),
    };
    match shlex::try_quote(&text) {
        Ok(quoted) => quoted.into_owned(),
        // A zero byte, which no path has.
        Err(_) => text,
    }
}
