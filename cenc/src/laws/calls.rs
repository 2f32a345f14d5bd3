//! What reaches a kernel: few calls, each with much to do.

use std::sync::{Arc, Mutex};

use super::noise;
use crate::aes::{BLOCK, Block, Cipher, Counter, GATHER, LANES, Lane, STRETCH, Stage};
use crate::{
    Iv, Kernel, Key, Pattern, Sample, SampleEncryption, Scheme, Subsample, decrypt_batch,
    decrypt_sample, encrypt_batch, encrypt_sample,
};

/// A call of a kernel: bytes of keystream, blocks of a chain, or blocks that each lane has.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Call {
    Ctr(usize),
    CtrGathered(usize),
    CbcDecrypt(usize),
    CbcDecryptGathered(usize),
    CbcEncrypt(usize),
    CbcEncryptLanes(Vec<usize>),
}
use Call::*;

/// A kernel that keeps a list of its calls.
struct Watched {
    cipher: Box<dyn Cipher>,
    calls: Calls,
}

type Calls = Arc<Mutex<Vec<Call>>>;

impl Watched {
    fn note(&self, call: Call) {
        self.calls.lock().unwrap().push(call);
    }
}

impl Cipher for Watched {
    fn ctr(&self, counter: Counter, bytes: &mut [u8]) {
        self.note(Ctr(bytes.len()));
        self.cipher.ctr(counter, bytes);
    }

    fn ctr_gathered(&self, counters: &[Block; GATHER], blocks: &mut [Block; GATHER], count: usize) {
        self.note(CtrGathered(count));
        self.cipher.ctr_gathered(counters, blocks, count);
    }

    fn cbc_decrypt(&self, chain: &Block, blocks: &mut [Block]) {
        self.note(CbcDecrypt(blocks.len()));
        self.cipher.cbc_decrypt(chain, blocks);
    }

    fn cbc_decrypt_gathered(
        &self,
        before: &[Block; GATHER],
        blocks: &mut [Block; GATHER],
        count: usize,
    ) {
        self.note(CbcDecryptGathered(count));
        self.cipher.cbc_decrypt_gathered(before, blocks, count);
    }

    fn cbc_encrypt(&self, chain: &mut Block, blocks: &mut [Block]) {
        self.note(CbcEncrypt(blocks.len()));
        self.cipher.cbc_encrypt(chain, blocks);
    }

    fn cbc_encrypt_lanes(&self, stage: &mut Stage, lanes: &mut [Lane<'_>]) {
        self.note(CbcEncryptLanes(lanes.iter().map(|lane| lane.blocks.len()).collect()));
        self.cipher.cbc_encrypt_lanes(stage, lanes);
    }
}

/// Keys that keep one list of calls.
fn keys<const N: usize>() -> ([Key; N], Calls) {
    let calls = Calls::default();
    let key = |at| {
        let cipher = Kernel::chosen().expand(&[u8::try_from(at).unwrap(); BLOCK]);
        Key::watched(Box::new(Watched { cipher, calls: calls.clone() }))
    };
    (std::array::from_fn(key), calls)
}

fn encryption(
    scheme: Scheme,
    (crypt, skip): (u8, u8),
    subsamples: Option<&[Subsample]>,
) -> SampleEncryption<'_> {
    let pattern = Pattern::new(crypt, skip).unwrap();
    SampleEncryption::new(scheme, Iv::new(&[3; 16]).unwrap(), pattern, subsamples).unwrap()
}

/// What calls there are for samples of so many bytes, whose keys come by turns.
fn calls<const KEYS: usize>(
    batch: fn(Vec<Sample<'_>>),
    scheme: Scheme,
    pattern: (u8, u8),
    lengths: &[usize],
) -> Vec<Call> {
    let (keys, calls) = keys::<KEYS>();
    let mut data: Vec<_> = lengths.iter().map(|len| noise(1, *len)).collect();
    let encryption = encryption(scheme, pattern, None);
    let samples = data.iter_mut().zip(keys.iter().cycle());
    batch(samples.map(|(data, key)| Sample { key, encryption, data }).collect());
    std::mem::take(&mut *calls.lock().unwrap())
}

fn decrypt(samples: Vec<Sample<'_>>) {
    decrypt_batch(samples).unwrap();
}

fn encrypt(samples: Vec<Sample<'_>>) {
    encrypt_batch(samples).unwrap();
}

#[test]
fn a_long_run_is_one_call() {
    assert_eq!(calls::<1>(decrypt, Scheme::Cenc, (0, 0), &[1003]), [Ctr(1003)]);
    assert_eq!(calls::<1>(encrypt, Scheme::Cens, (0, 0), &[1003]), [Ctr(1003)]);
    assert_eq!(calls::<1>(decrypt, Scheme::Cbcs, (0, 0), &[1003]), [CbcDecrypt(62)]);
    assert_eq!(calls::<1>(decrypt, Scheme::Cbc1, (0, 0), &[1003]), [CbcDecrypt(62)]);
    assert_eq!(calls::<1>(encrypt, Scheme::Cbcs, (0, 0), &[1003]), [CbcEncrypt(62)]);
    let runs = [CbcDecrypt(3), CbcDecrypt(3), CbcDecrypt(1)];
    assert_eq!(calls::<1>(decrypt, Scheme::Cbcs, (3, 1), &[9 * BLOCK]), runs);
    assert_eq!(
        calls::<1>(encrypt, Scheme::Cens, (3, 1), &[9 * BLOCK]),
        [Ctr(48), Ctr(48), Ctr(16)]
    );
}

#[test]
fn short_runs_of_many_samples_are_one_call() {
    // Three blocks of each, or five.
    for (pattern, blocks) in [((1, 9), 3), ((2, 9), 5)] {
        let lengths = [23 * BLOCK; 20];
        let all = blocks * lengths.len();
        let counts = || [GATHER].repeat(all / GATHER).into_iter().chain([all % GATHER]);
        let gathered: Vec<_> = counts().map(CbcDecryptGathered).collect();
        assert_eq!(calls::<1>(decrypt, Scheme::Cbcs, pattern, &lengths)[..], gathered);
        let gathered: Vec<_> = counts().map(CtrGathered).collect();
        assert_eq!(calls::<1>(decrypt, Scheme::Cens, pattern, &lengths)[..], gathered);
        assert_eq!(calls::<1>(encrypt, Scheme::Cens, pattern, &lengths)[..], gathered);
    }
}

#[test]
fn a_sample_alone_is_gathered_too() {
    let ([key], calls) = keys();
    let mut sample = noise(1, 200 * BLOCK);
    for (scheme, gathered) in
        [(Scheme::Cbcs, CbcDecryptGathered(20)), (Scheme::Cens, CtrGathered(20))]
    {
        decrypt_sample(&key, &encryption(scheme, (1, 9), None), &mut sample).unwrap();
        assert_eq!(std::mem::take(&mut *calls.lock().unwrap()), [gathered]);
    }
    encrypt_sample(&key, &encryption(Scheme::Cens, (1, 9), None), &mut sample).unwrap();
    assert_eq!(*calls.lock().unwrap(), [CtrGathered(20)]);
}

#[test]
fn another_key_or_mode_ends_what_is_gathered() {
    let two = [CbcDecryptGathered(3), CbcDecryptGathered(3)];
    assert_eq!(calls::<2>(decrypt, Scheme::Cbcs, (1, 1), &[6 * BLOCK; 2]), two);

    let ([key], calls) = keys();
    let mut data = [(); 3].map(|()| [0; 6 * BLOCK]);
    let schemes = [Scheme::Cbcs, Scheme::Cens, Scheme::Cens];
    let samples = data.iter_mut().zip(schemes).map(|(data, scheme)| Sample {
        key: &key,
        encryption: encryption(scheme, (1, 1), None),
        data,
    });
    decrypt_batch(samples).unwrap();
    assert_eq!(*calls.lock().unwrap(), [CbcDecryptGathered(3), CtrGathered(6)]);
}

/// The rest of the block first, then all that is left in one call.
#[test]
fn a_run_inside_a_block_is_two_calls() {
    let ([key], calls) = keys();
    let table = [(0, 5), (3, 4), (2, 100)].map(|(clear, len)| Subsample::new(clear, len));
    let encryption = encryption(Scheme::Cenc, (0, 0), Some(&table));
    decrypt_sample(&key, &encryption, &mut [0; 114]).unwrap();
    let calls = calls.lock().unwrap();
    let calls = calls.iter().filter(|call| **call != Ctr(0));
    assert!(calls.eq(&[Ctr(5), Ctr(BLOCK), Ctr(BLOCK), Ctr(93)]));
}

#[test]
fn chains_fill_the_lanes() {
    for scheme in [Scheme::Cbc1, Scheme::Cbcs] {
        let all = CbcEncryptLanes(vec![STRETCH; LANES]);
        let found = calls::<1>(encrypt, scheme, (0, 0), &[STRETCH * BLOCK; LANES]);
        assert_eq!(found, std::slice::from_ref(&all));
        let found = calls::<1>(encrypt, scheme, (0, 0), &[STRETCH * BLOCK; 2 * LANES]);
        assert_eq!(found, [all.clone(), all.clone()]);
        // One that is left over needs no lanes.
        let found = calls::<1>(encrypt, scheme, (0, 0), &[STRETCH * BLOCK; LANES + 1]);
        assert_eq!(found, [all, CbcEncrypt(STRETCH)]);
        let found = calls::<1>(encrypt, scheme, (0, 0), &[STRETCH * BLOCK; 2]);
        assert_eq!(found, [CbcEncryptLanes(vec![STRETCH; 2])]);
    }
}

#[test]
fn the_next_chain_takes_the_lane_of_one_that_ends() {
    let blocks = [[STRETCH; 3].as_slice(), &[3 * STRETCH; LANES - 3], &[2 * STRETCH; 3]].concat();
    let lengths: Vec<_> = blocks.iter().map(|blocks| blocks * BLOCK).collect();
    let found = calls::<1>(encrypt, Scheme::Cbcs, (0, 0), &lengths);
    let sorted = found.into_iter().map(|call| match call {
        CbcEncryptLanes(mut lanes) => {
            lanes.sort_unstable();
            lanes
        }
        call => panic!("{call:?}"),
    });
    let full = |few, many: usize| [[few; 3].as_slice(), &[many; LANES - 3]].concat();
    let expected =
        [full(STRETCH, 3 * STRETCH), [2 * STRETCH; LANES].to_vec(), [STRETCH; LANES].to_vec()];
    assert!(sorted.eq(expected));
}

/// As the tracks of a file do.
#[test]
fn four_keys_do_not_interrupt_each_other() {
    let all = CbcEncryptLanes(vec![STRETCH; LANES]);
    let found = calls::<4>(encrypt, Scheme::Cbcs, (0, 0), &[STRETCH * BLOCK; 4 * LANES]);
    assert_eq!(found, [(); 4].map(|()| all.clone()));
    let found = calls::<5>(encrypt, Scheme::Cbcs, (0, 0), &[STRETCH * BLOCK; 10]);
    assert_eq!(found, [(); 10].map(|()| CbcEncrypt(STRETCH)));
}

/// A chain of `cbc1` goes on in its lane, where other ranges would need new ones.
#[test]
fn ranges_of_one_chain_stay_in_one_lane() {
    let table = [(0, 32), (0, 0), (0, 48)].map(|(clear, len)| Subsample::new(clear, len));
    for (scheme, expected) in [
        (Scheme::Cbc1, [CbcEncrypt(2), CbcEncrypt(3)].as_slice()),
        (Scheme::Cbcs, &[CbcEncryptLanes(vec![2, 3])]),
    ] {
        let ([key], calls) = keys();
        let encryption = encryption(scheme, (0, 0), Some(&table));
        encrypt_batch([Sample { key: &key, encryption, data: &mut [0; 80] }]).unwrap();
        assert_eq!(calls.lock().unwrap()[..], *expected);
    }
}
