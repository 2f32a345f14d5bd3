//! Encryption with `transmux`: the whole file is read, taken apart, encrypted, put together and written.

use std::{error::Error, fs};

use broadcast_common::{Encrypt, Package, Unpackage};
pub use transmux::CencScheme;
use transmux::{
    CencEncryptor, CmafMux, ConstantIvSenc, EncryptConfig, Fmp4Demux, IvGen, ProgressiveDemux,
    SubsamplePolicy,
    init_segment::protect_init_segment,
    movie_fragment::{FragmentProtection, protect_media_segment},
};

use crate::Job;

/// Encrypts all tracks with the first key. The output has one fragment.
///
/// # Errors
/// The file cannot be read, understood or written; or a key is not hexadecimal.
pub fn encrypt(job: &Job, scheme: CencScheme) -> Result<(), Box<dyn Error>> {
    let bytes = fs::read(&job.input)?;
    let is_fragmented = bytes.windows(4).any(|kind| kind == b"moof");
    let mut media = if is_fragmented {
        Fmp4Demux::new().unpackage(&bytes[..])?
    } else {
        ProgressiveDemux::new(usize::MAX)?.unpackage(&bytes[..])?
    };
    let (kid, key) = job.keys.first().ok_or("no key")?;
    let is_cbcs = scheme == CencScheme::Cbcs;
    let config = EncryptConfig {
        scheme,
        kid: octets(kid)?,
        iv: if is_cbcs { IvGen::Constant([7; 16]) } else { IvGen::default() },
        pattern: is_cbcs.then_some((1, 9)),
        subsample: SubsamplePolicy::Video,
        constant_iv_senc: ConstantIvSenc::default(),
    };
    CencEncryptor::new(octets(key)?).encrypt(&mut media, &config)?;
    let mut out = CmafMux::new(1).package(&media)?;
    let mut fragments = Vec::new();
    for track in &media.tracks {
        let encryption = track.encryption.as_ref().ok_or("a track was not encrypted")?;
        let track_id = track.spec.track_id;
        out = protect_init_segment(&out, track_id, encryption)?;
        fragments.push(FragmentProtection {
            track_id,
            entries: &encryption.samples,
            per_sample_iv_size: encryption.tenc.default_per_sample_iv_size,
        });
    }
    fs::write(&job.output, protect_media_segment(&out, &fragments)?)?;
    Ok(())
}

fn octets(hex: &str) -> Result<[u8; 16], Box<dyn Error>> {
    Ok(u128::from_str_radix(hex, 16)?.to_be_bytes())
}
