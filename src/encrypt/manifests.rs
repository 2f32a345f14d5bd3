//! What players open: a DASH manifest and HLS playlists of the outputs, as they are written.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use cenc::Scheme;
use clearkey::Jwk;
use container::{ReadAt, Track, encrypt::Settings};
use manifest::{
    Stream, StreamAt, dash,
    hls::{self, KeyFormat},
};

use super::{
    args::{EncryptArgs, HlsKeyFormat},
    suggest,
    targets::Target,
    urls::relative,
};
use crate::{
    args::is_standard,
    input::Positioned,
    output::Output,
    unfinished::{Readers, folder},
};

/// The manifests that are asked for.
pub(super) struct Manifests {
    mpd: Option<PathBuf>,
    hls: Option<PathBuf>,
    key_format: HlsKeyFormat,
    license_url: Option<String>,
}

impl Manifests {
    /// Refuses what no manifest can say.
    pub(super) fn of(args: &EncryptArgs) -> anyhow::Result<Self> {
        let scheme = Scheme::from(args.scheme);
        if [&args.mpd, &args.hls].into_iter().flatten().any(|path| is_standard(path)) {
            bail!("manifests are files: their URLs lead from them to others");
        }
        if (args.mpd.is_some() || args.hls.is_some()) && args.piff {
            bail!("--piff: PIFF is for Smooth Streaming, which has other manifests");
        }
        if args.hls.is_some() && !matches!(scheme, Scheme::Cenc | Scheme::Cbcs) {
            bail!("--hls: HLS has no method for the scheme {scheme}, only for cenc and cbcs");
        }
        Ok(Self {
            mpd: args.mpd.clone(),
            hls: args.hls.clone(),
            key_format: args.hls_keyformat,
            license_url: args.license_url.clone(),
        })
    }

    /// Whether none is asked for.
    pub(super) fn are_none(&self) -> bool {
        self.mpd.is_none() && self.hls.is_none()
    }

    /// Refuses an input that no manifest could lead to, and says how it could become one.
    pub(super) fn check_input(
        &self,
        file: &dyn ReadAt,
        path: &Path,
        tracks: &[Track],
        is_webm: bool,
    ) -> anyhow::Result<()> {
        if self.hls.is_some() && is_webm {
            bail!("--hls: HLS has no WebM");
        }
        match Stream::read(file) {
            Ok(_) => Ok(()),
            Err(error) => {
                let lines = suggest::ffmpeg(path, tracks, is_webm);
                if lines.is_empty() {
                    return Err(error.into());
                }
                bail!("{:#}; FFmpeg makes it so:{lines}", anyhow::Error::from(error))
            }
        }
    }

    /// Refuses settings that manifests cannot tell of.
    pub(super) fn check_settings(&self, settings: &Settings) -> anyhow::Result<()> {
        let mut keys = settings.tracks.iter().map(|track| &track.keys);
        if self.hls.is_some() && keys.clone().any(|keys| keys.len() > 1) {
            bail!("--hls: a playlist cannot tell players of keys that change; leave --rotate out");
        }
        let kid = keys.find_map(|keys| keys.iter().find(|key| key.kid.as_bytes().len() != 16));
        if let (Some(key), false) = (kid, self.are_none()) {
            bail!("key id {} does not have 16 octets, as manifests want it", key.kid);
        }
        Ok(())
    }

    /// All files that will be written.
    pub(super) fn files(&self, outputs: &[Target]) -> Vec<PathBuf> {
        let playlists = self.hls.iter().flat_map(|path| {
            outputs.iter().map(|target| media_playlist(path, &target.output)).chain([path.clone()])
        });
        playlists.chain(self.mpd.clone()).collect()
    }

    /// Writes them, playlists before what leads to them: all are whole then, and have no names yet. Each output has
    /// a path, and a place where it can be read. `keys` are those of the outputs.
    pub(super) fn write(
        &self,
        outputs: &[(&Path, &Output)],
        keys: &[Jwk],
    ) -> anyhow::Result<Vec<Output>> {
        if self.are_none() {
            return Ok(Vec::new());
        }
        let streams = outputs.iter().map(|(path, output)| {
            let file = output.place().context("not a file").and_then(Positioned::open);
            let stream = file.and_then(|file| Stream::read(&file).map_err(anyhow::Error::from));
            stream.with_context(|| path.display().to_string())
        });
        let streams = streams.collect::<anyhow::Result<Vec<Stream>>>()?;
        let paths: Vec<_> = outputs.iter().map(|(path, _)| *path).collect();
        let mut manifests = Vec::new();
        if let Some(path) = &self.hls {
            self.write_hls(path, &paths, &streams, keys, &mut manifests)?;
        }
        if let Some(path) = &self.mpd {
            let urls: Vec<_> = paths.iter().map(|output| relative(path, output)).collect();
            let text = dash::manifest(&placed(&urls, &streams), self.license_url.as_deref());
            let text = text.with_context(|| path.display().to_string())?;
            manifests.push(Output::whole(path, text.as_bytes(), Readers::Usual)?);
        }
        Ok(manifests)
    }

    fn write_hls(
        &self,
        path: &Path,
        outputs: &[&Path],
        streams: &[Stream],
        keys: &[Jwk],
        manifests: &mut Vec<Output>,
    ) -> anyhow::Result<()> {
        let (format, readers) = match self.key_format {
            HlsKeyFormat::Clearkey => (KeyFormat::ClearKey, Readers::Usual),
            HlsKeyFormat::Identity => (KeyFormat::Identity(keys), Readers::Owner),
        };
        let mut urls = Vec::new();
        for (output, stream) in outputs.iter().zip(streams) {
            let playlist = media_playlist(path, output);
            let url = relative(&playlist, output);
            let text = hls::media_playlist(&StreamAt { url: &url, stream }, format);
            let text = text.with_context(|| playlist.display().to_string())?;
            manifests.push(Output::whole(&playlist, text.as_bytes(), readers)?);
            urls.push(relative(path, &playlist));
        }
        let text = hls::multivariant_playlist(&placed(&urls, streams));
        let text = text.with_context(|| path.display().to_string())?;
        manifests.push(Output::whole(path, text.as_bytes(), Readers::Usual)?);
        Ok(())
    }
}

fn placed<'s>(urls: &'s [String], streams: &'s [Stream]) -> Vec<StreamAt<'s>> {
    urls.iter().zip(streams).map(|(url, stream)| StreamAt { url, stream }).collect()
}

/// The playlist of an output, beside the one over all.
fn media_playlist(over_all: &Path, output: &Path) -> PathBuf {
    let mut name = output.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".m3u8");
    folder(over_all).join(name)
}
