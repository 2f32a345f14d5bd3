//! All that can decrypt or encrypt a stream, by name.

use std::fmt;

use cenc::{Kernel, Key};

use crate::cases::Direction;
use crate::peer::{self, Cipher};
use crate::peer_aws_lc::AwsLc;
use crate::peer_openssl::OpenSsl;
use crate::peer_rust_crypto::RustCrypto;
use crate::{KEY, Stream, ours};

/// Works on all samples of a stream. They lie one behind the other, with a block of room behind the
/// last.
pub type Run<'a> = Box<dyn FnMut(&mut [u8]) + 'a>;

/// A kernel of `cenc`, or a peer. Whichever it is, its key is made before anything is timed.
#[derive(Clone, Copy, Debug)]
pub enum Means {
    /// A kernel, for all samples in one call. A sample that is alone is not called a batch.
    Batch(Kernel),
    /// A kernel, and a call for each sample.
    OneByOne(Kernel),
    /// OpenSSL, and calls for each sample: one for its IV, and one for each run of protected bytes.
    OpenSsl,
    /// `aws-lc-rs`, and a call for each run of protected bytes.
    AwsLc,
    /// RustCrypto's `ctr` and `cbc`, and calls as for OpenSSL.
    RustCrypto,
}

impl Means {
    /// All of them, kernels first, the fastest before the others.
    pub fn all() -> impl Iterator<Item = Self> {
        let fastest = Kernel::all().next().map(Self::OneByOne);
        let peers = [Self::OpenSsl, Self::AwsLc, Self::RustCrypto];
        Kernel::all().map(Self::Batch).chain(fastest).chain(peers)
    }

    /// Whether it can work on a stream, and differs from the others there. Chains that are
    /// encrypted one after the other are as slow everywhere, so OpenSSL stands for all.
    pub(crate) fn can(self, stream: &Stream, direction: Direction) -> bool {
        let is_decryption = direction == Direction::Decrypt;
        match self {
            Self::Batch(_) | Self::OpenSsl => true,
            Self::OneByOne(_) => is_decryption && stream.shapes.len() > 1,
            Self::AwsLc => is_decryption && AwsLc::can(stream),
            Self::RustCrypto => is_decryption,
        }
    }

    pub(crate) fn run<'a>(self, stream: &'a Stream, direction: Direction) -> Run<'a> {
        let cipher = Cipher::of(stream, direction);
        match self {
            Self::Batch(kernel) if stream.shapes.len() > 1 => {
                ours::batch(Key::on(kernel, &KEY), stream, direction)
            }
            Self::Batch(kernel) | Self::OneByOne(kernel) => {
                ours::one_by_one(Key::on(kernel, &KEY), stream, direction)
            }
            Self::OpenSsl => peer::run(stream, OpenSsl::new(cipher)),
            Self::AwsLc => peer::run(stream, AwsLc::new(cipher)),
            Self::RustCrypto => peer::run(stream, RustCrypto::new(cipher)),
        }
    }
}

impl fmt::Display for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Batch(kernel) => write!(f, "{kernel}"),
            Self::OneByOne(kernel) => write!(f, "{kernel} one by one"),
            Self::OpenSsl => f.write_str("OpenSSL"),
            Self::AwsLc => f.write_str("aws-lc-rs"),
            Self::RustCrypto => f.write_str("RustCrypto"),
        }
    }
}
