//! What a player is told of a media file: its media type, DASH manifests and HLS playlists, with all that
//! ClearKey needs.
//!
//! ```text
//! bytes ── MediaType::read ──▶ video/mp4; codecs="avc1.64000c"
//! bytes ── Stream::read ──▶ Stream ── dash::manifest ──▶ MPD
//!                                 └── hls::media_playlist, hls::multivariant_playlist ──▶ M3U8
//! ```
//! A [`Stream`] is a file of one track whose segments an index in it leads to: MP4 with one `sidx` in front,
//! WebM with `Cues`. What is written of it is what the file says; nothing is guessed from names, and no file
//! is opened here: inputs are [`container::ReadAt`], outputs are text.
//!
//! ```
//! use container::Window;
//! use manifest::{MediaType, Stream, StreamAt, dash};
//!
//! # fn main() -> Result<(), manifest::Error> {
//! # let bytes = include_bytes!("../../fixtures/media/shaka_cenc_avc_aac_audio.mp4");
//! let file = Window::new(0, bytes);
//! assert_eq!(MediaType::read(&file)?.to_string(), r#"audio/mp4; codecs="mp4a.40.2""#);
//!
//! let stream = Stream::read(&file)?;
//! let mpd = dash::manifest(&[StreamAt { url: "audio.mp4", stream: &stream }], None)?;
//! assert!(mpd.contains(r#"cenc:default_KID="10000000-1000-1000-1000-100000000002""#));
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod bandwidth;
pub mod dash;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod hls;
mod language;
mod media_type;
mod protection;
mod rate;
mod stream;

pub use {
    error::Error,
    media_type::{Kind, MediaType},
    protection::Protection,
    rate::Rate,
    stream::{Audio, Stream, StreamAt, Video},
};
