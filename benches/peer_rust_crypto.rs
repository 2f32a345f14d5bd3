//! RustCrypto: the crates `ctr` and `cbc` over `aes`, its key schedule made before.

use std::sync::LazyLock;

use aes::cipher::{
    BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper,
};
use aes::{Aes128, Block};
use ctr::{CtrCore, flavors::Ctr64BE};

use crate::KEY;
use crate::peer::{BLOCK, Cipher, Peer};

static AES: LazyLock<Aes128> = LazyLock::new(|| Aes128::new(&KEY.into()));

pub(crate) enum RustCrypto {
    Ctr(StreamCipherCoreWrapper<CtrCore<&'static Aes128, Ctr64BE>>),
    CbcDecrypt(cbc::Decryptor<&'static Aes128>),
    CbcEncrypt(cbc::Encryptor<&'static Aes128>),
}

impl RustCrypto {
    pub(crate) fn new(cipher: Cipher) -> Self {
        Self::with_iv(cipher, &[0; BLOCK])
    }

    fn with_iv(cipher: Cipher, iv: &[u8; BLOCK]) -> Self {
        let (aes, iv) = (&*AES, iv.into());
        match cipher {
            Cipher::Ctr => {
                let core = CtrCore::inner_iv_init(aes, iv);
                Self::Ctr(StreamCipherCoreWrapper::from_core(core))
            }
            Cipher::CbcDecrypt => Self::CbcDecrypt(cbc::Decryptor::inner_iv_init(aes, iv)),
            Cipher::CbcEncrypt => Self::CbcEncrypt(cbc::Encryptor::inner_iv_init(aes, iv)),
        }
    }
}

impl Peer for RustCrypto {
    fn start(&mut self, iv: &[u8; BLOCK]) {
        let cipher = match self {
            Self::Ctr(_) => Cipher::Ctr,
            Self::CbcDecrypt(_) => Cipher::CbcDecrypt,
            Self::CbcEncrypt(_) => Cipher::CbcEncrypt,
        };
        *self = Self::with_iv(cipher, iv);
    }

    fn update(&mut self, buffer: &mut [u8], len: usize) {
        let bytes = &mut buffer[..len];
        match self {
            Self::Ctr(ctr) => ctr.apply_keystream(bytes),
            Self::CbcDecrypt(cbc) => cbc.decrypt_blocks(Block::slice_as_chunks_mut(bytes).0),
            Self::CbcEncrypt(cbc) => cbc.encrypt_blocks(Block::slice_as_chunks_mut(bytes).0),
        }
    }
}
