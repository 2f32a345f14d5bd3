//! AWS-LC by `aws-lc-rs`: a key that is kept takes an IV with each call, and forgets where it was.

use aws_lc_rs::cipher::{
    AES_128, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use cenc::{Scheme, Subsample};

use crate::peer::{BLOCK, Cipher, Peer};
use crate::{KEY, Stream};

pub(crate) struct AwsLc {
    key: Key,
    iv: [u8; BLOCK],
}

enum Key {
    Ctr(EncryptingKey),
    CbcDecrypt(DecryptingKey),
    CbcEncrypt(EncryptingKey),
}

impl AwsLc {
    pub(crate) fn new(cipher: Cipher) -> Self {
        let unbound = UnboundCipherKey::new(&AES_128, &KEY).expect("a key of AES-128");
        let key = match cipher {
            Cipher::Ctr => EncryptingKey::ctr(unbound).map(Key::Ctr),
            Cipher::CbcDecrypt => DecryptingKey::cbc(unbound).map(Key::CbcDecrypt),
            Cipher::CbcEncrypt => EncryptingKey::cbc(unbound).map(Key::CbcEncrypt),
        };
        Self { key: key.expect("AES-128 has the mode"), iv: [0; BLOCK] }
    }

    /// Whether a stream asks for nothing that the API has not: a keystream that goes on inside of a
    /// block, in the next subsample.
    pub(crate) fn can(stream: &Stream) -> bool {
        let mut subsamples = stream.shapes.iter().filter_map(|shape| shape.subsamples.as_ref());
        let whole = |subsample: &Subsample| subsample.protected.is_multiple_of(16);
        stream.scheme != Scheme::Cenc || subsamples.all(|table| table.iter().all(whole))
    }
}

impl Peer for AwsLc {
    fn start(&mut self, iv: &[u8; BLOCK]) {
        self.iv = *iv;
    }

    /// The next IV is made here: a counter some blocks later, or the last cipher block. A keystream
    /// cannot go on inside of a block.
    fn update(&mut self, buffer: &mut [u8], len: usize) {
        let iv = FixedLength::from(self.iv);
        let bytes = &mut buffer[..len];
        let done = match &self.key {
            Key::Ctr(key) => {
                let blocks = (bytes.len() / BLOCK) as u128;
                self.iv = u128::from_be_bytes(self.iv).wrapping_add(blocks).to_be_bytes();
                key.less_safe_encrypt(bytes, EncryptionContext::Iv128(iv)).map(drop)
            }
            Key::CbcDecrypt(key) => {
                self.iv = *bytes.last_chunk().expect("a block");
                key.decrypt(bytes, DecryptionContext::Iv128(iv)).map(drop)
            }
            Key::CbcEncrypt(key) => {
                let done = key.less_safe_encrypt(bytes, EncryptionContext::Iv128(iv)).map(drop);
                self.iv = *bytes.last_chunk().expect("a block");
                done
            }
        };
        done.expect("whole blocks");
    }
}
