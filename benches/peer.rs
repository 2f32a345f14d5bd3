//! How a peer goes through samples: as a program calls it that has the two modes of AES, no more.

use std::ops::Range;

use cenc::{Pattern, Scheme};

use crate::cases::Direction;
use crate::{Run, Stream};

/// A cipher of another library, with a key that is kept.
pub(crate) trait Peer {
    /// Begins with an IV.
    fn start(&mut self, iv: &[u8; BLOCK]);

    /// Goes on with the first `len` bytes of a buffer that has a block of room behind them.
    fn update(&mut self, buffer: &mut [u8], len: usize);
}

/// AES-CTR or AES-CBC, one way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cipher {
    Ctr,
    CbcDecrypt,
    CbcEncrypt,
}

impl Cipher {
    pub(crate) fn of(stream: &Stream, direction: Direction) -> Self {
        match (stream.scheme, direction) {
            (Scheme::Cenc | Scheme::Cens, _) => Self::Ctr,
            (Scheme::Cbc1 | Scheme::Cbcs, Direction::Decrypt) => Self::CbcDecrypt,
            (Scheme::Cbc1 | Scheme::Cbcs, Direction::Encrypt) => Self::CbcEncrypt,
        }
    }
}

/// Takes samples one by one: an IV for each, or for each protected range of `cbcs`, and then a call
/// for each run of protected bytes. Counter and chain are kept from call to call.
pub(crate) fn run<'a>(stream: &'a Stream, mut peer: impl Peer + 'a) -> Run<'a> {
    Box::new(move |data| {
        let mut at = 0;
        for shape in &stream.shapes {
            let iv = shape.iv.as_bytes();
            if stream.scheme != Scheme::Cbcs {
                peer.start(iv);
            }
            let mut range = |range: Range<usize>| {
                if stream.scheme == Scheme::Cbcs && !range.is_empty() {
                    peer.start(iv);
                }
                for run in runs(stream, range) {
                    peer.update(&mut data[run.start..run.end + BLOCK], run.len());
                }
            };
            let end = at + shape.len;
            match &shape.subsamples {
                None => range(at..end),
                Some(subsamples) => {
                    for subsample in subsamples {
                        let start = at + usize::from(subsample.clear);
                        at = start + subsample.protected as usize;
                        range(start..at);
                    }
                }
            }
            at = end;
        }
    })
}

/// The runs of a protected range.
fn runs(stream: &Stream, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let Stream { scheme, pattern, .. } = *stream;
    let is_ctr = matches!(scheme, Scheme::Cenc | Scheme::Cens);
    let has_last = is_ctr && pattern == Pattern::NONE;
    let end = if has_last { range.end } else { range.start + range.len() / BLOCK * BLOCK };
    let (crypt, skip) = match (pattern.crypt_byte_block(), pattern.skip_byte_block()) {
        (_, 0) => (range.len().max(1), 0),
        (crypt, skip) => (usize::from(crypt) * BLOCK, usize::from(skip) * BLOCK),
    };
    (range.start..end).step_by(crypt + skip).map(move |start| start..end.min(start + crypt))
}

pub(crate) const BLOCK: usize = 16;
