//! OpenSSL, which is the system's: a context for a key, and a call that sets the IV.

use openssl::cipher;
use openssl::cipher_ctx::CipherCtx;

use crate::KEY;
use crate::peer::{BLOCK, Cipher, Peer};

pub(crate) struct OpenSsl {
    context: CipherCtx,
    cipher: Cipher,
}

impl OpenSsl {
    pub(crate) fn new(cipher: Cipher) -> Self {
        let mut context = CipherCtx::new().expect("memory");
        let done = match cipher {
            Cipher::Ctr => {
                context.encrypt_init(Some(cipher::Cipher::aes_128_ctr()), Some(&KEY), None)
            }
            Cipher::CbcDecrypt => {
                context.decrypt_init(Some(cipher::Cipher::aes_128_cbc()), Some(&KEY), None)
            }
            Cipher::CbcEncrypt => {
                context.encrypt_init(Some(cipher::Cipher::aes_128_cbc()), Some(&KEY), None)
            }
        };
        done.expect("AES-128 is there");
        context.set_padding(false);
        Self { context, cipher }
    }
}

impl Peer for OpenSsl {
    fn start(&mut self, iv: &[u8; BLOCK]) {
        let done = match self.cipher {
            Cipher::Ctr | Cipher::CbcEncrypt => self.context.encrypt_init(None, None, Some(iv)),
            Cipher::CbcDecrypt => self.context.decrypt_init(None, None, Some(iv)),
        };
        done.expect("an IV of 16 bytes");
    }

    fn update(&mut self, buffer: &mut [u8], len: usize) {
        self.context.cipher_update_inplace(buffer, len).expect("room behind");
    }
}
