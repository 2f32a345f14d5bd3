//! What a file lacks for a manifest.

/// Why a file, or what is to be written of it, does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read as what it is.
    #[error(transparent)]
    Container(#[from] container::Error),
    /// The configuration of a track's codec cannot be read.
    #[error("track {track}: its codec has no name")]
    Codec {
        /// Track id.
        track: u32,
        /// What is wrong.
        #[source]
        reason: codec::Error,
    },
    /// A codec that pages and manifests have no name for.
    #[error("track {track}: there is no name for the codec `{format}`")]
    UnknownCodec {
        /// Track id.
        track: u32,
        /// What the file calls it.
        format: String,
    },
    /// A manifest has one track in each file.
    #[error("it has {tracks} tracks, and a manifest wants one in each file")]
    SeveralTracks {
        /// How many there are.
        tracks: usize,
    },
    /// The only track is neither video nor audio.
    #[error("its track is neither video nor audio")]
    NoMedia,
    /// Its samples are not in fragments.
    #[error("it is not fragmented")]
    Progressive,
    /// No index says where its segments are.
    #[error("it has no index of its segments in front of them")]
    NoIndex,
    /// Matroska that does not call itself WebM.
    #[error("it is Matroska, not WebM")]
    Matroska,
    /// PIFF has manifests of its own.
    #[error("PIFF is for Smooth Streaming, which has other manifests")]
    Piff,
    /// A key id that has no place in a manifest.
    #[error("key id {kid} does not have 16 octets, as a manifest wants it")]
    Kid {
        /// The key id.
        kid: clearkey::KeyId,
    },
    /// The key ids do not fit into a `pssh` box.
    #[error("initialization data for a manifest")]
    Pssh(#[source] clearkey::Error),
    /// Playlists have no word for the scheme.
    #[error("HLS has no method for the scheme {scheme}")]
    HlsScheme {
        /// The scheme.
        scheme: container::FourCc,
    },
    /// Playlists are for MP4.
    #[error("HLS has no WebM")]
    HlsFormat,
    /// A playlist names the one key of a stream.
    #[error("its keys change, and a playlist cannot tell players which samples each is for")]
    HlsRotation,
    /// A playlist that is to hold the key, which is not there.
    #[error("no key for KID {kid}")]
    NoKey {
        /// The key id.
        kid: clearkey::KeyId,
    },
    /// XML could not be written.
    #[error("writing XML")]
    Xml(#[from] std::io::Error),
}
