//! The same suite for every kernel that this CPU has.
//!
//! The vectors are those of NIST SP 800-38A (2001): F.2.1 and F.2.2 for CBC-AES128, F.5.1 and F.5.2
//! for CTR-AES128. All else is compared with [`portable`](super::portable), which is itself compared
//! with block by block AES.

use std::io::Write;

use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::kernel::Row;
use super::*;
use crate::Iv;
use crate::laws::noise;

const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                     30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
const CBC_IV: &str = "000102030405060708090a0b0c0d0e0f";
const CBC_CIPHER: &str = "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2\
                          73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7";
const CTR_COUNTER: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
const CTR_CIPHER: &str = "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff\
                          5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee";

fn block(hex: &str) -> Block {
    HEXLOWER.decode(hex.as_bytes()).unwrap().try_into().unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.as_bytes()).unwrap()
}

fn counter(block: &Block) -> Counter {
    Counter::new(&Iv::new(block).unwrap())
}

fn on_each(check: impl Fn(&'static str, &dyn Fn(&Block) -> Box<dyn Cipher>)) {
    for kernel in Kernel::all() {
        check(kernel.name(), &|key| kernel.expand(key));
    }
}

/// Says which kernels are looked at here, and which are not.
#[test]
fn what_the_cpu_lacks_is_said() {
    let here: Vec<_> = Kernel::all().map(Kernel::name).collect();
    assert_eq!(here.last(), Some(&"portable"));
    for Row { name, .. } in kernel::ROWS {
        let what = if here.contains(name) { "tested" } else { "not tested, this CPU lacks it" };
        // Not `eprintln!`, which a test that passes does not show.
        writeln!(std::io::stderr(), "kernel {name}: {what}").unwrap();
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn a_kernel_is_there_if_the_cpu_has_what_it_needs() {
    let narrow = is_x86_feature_detected!("aes") && is_x86_feature_detected!("avx");
    let wide = narrow && is_x86_feature_detected!("vaes") && is_x86_feature_detected!("avx2");
    let widest =
        wide && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
    let expected = [("vaes512", widest), ("vaes256", wide), ("aesni", narrow), ("portable", true)];
    let expected = expected.into_iter().filter_map(|(name, is_there)| is_there.then_some(name));
    assert!(Kernel::all().map(Kernel::name).eq(expected));
}

#[test]
fn the_environment_chooses() {
    match std::env::var(kernel::VARIABLE) {
        Ok(name) => assert_eq!(Kernel::chosen().name(), name),
        Err(_) => assert_eq!(Kernel::chosen().name(), Kernel::all().next().unwrap().name()),
    }
}

#[test]
fn a_kernel_goes_by_its_name() {
    let fastest = Kernel::all().next().unwrap();
    for kernel in Kernel::all() {
        assert_eq!(Kernel::named(Some(kernel.name())).name(), kernel.name());
        assert_eq!(format!("{kernel:?}"), format!("Kernel({})", kernel.name()));
        assert_eq!(format!("{kernel:>9}"), format!("{:>9}", kernel.name()));
    }
    for name in [None, Some(""), Some("abacus"), Some("PORTABLE")] {
        assert_eq!(Kernel::named(name).name(), fastest.name());
    }
}

#[test]
fn nist_ctr() {
    on_each(|name, expand| {
        for (input, output) in [(PLAIN, CTR_CIPHER), (CTR_CIPHER, PLAIN)] {
            let mut data = bytes(input);
            expand(&block(KEY)).ctr(counter(&block(CTR_COUNTER)), &mut data);
            assert_eq!(HEXLOWER.encode(&data), output, "{name}");
        }
    });
}

#[test]
fn nist_cbc_decrypt() {
    on_each(|name, expand| {
        let mut data = bytes(CBC_CIPHER);
        expand(&block(KEY)).cbc_decrypt(&block(CBC_IV), data.as_chunks_mut().0);
        assert_eq!(HEXLOWER.encode(&data), PLAIN, "{name}");
    });
}

#[test]
fn nist_cbc_encrypt() {
    on_each(|name, expand| {
        let cipher = expand(&block(KEY));
        let (mut chain, mut data) = (block(CBC_IV), bytes(PLAIN));
        cipher.cbc_encrypt(&mut chain, data.as_chunks_mut().0);
        assert_eq!(HEXLOWER.encode(&data), CBC_CIPHER, "{name}");
        assert_eq!(chain, data[data.len() - BLOCK..], "{name}");

        let mut many = [(); LANES].map(|()| bytes(PLAIN));
        let mut lanes = many.each_mut().map(|data| {
            let (blocks, _) = data.as_chunks_mut();
            Lane { chain: block(CBC_IV), blocks }
        });
        cipher.cbc_encrypt_lanes(&mut Stage::new(), &mut lanes);
        for lane in lanes {
            assert!(lane.blocks.is_empty(), "{name}");
            assert_eq!(lane.chain, chain, "{name}");
        }
        assert!(many.iter().all(|many| *many == data), "{name}");
    });
}

/// Counters near each end: of the last octet, of 64 bits.
fn counters() -> impl Iterator<Item = Block> {
    let numbers = [0, 1, 0xf0, 0xff, 0x1234_56fe, u64::MAX, u64::MAX - 1, u64::MAX - 40];
    numbers.into_iter().map(|number| {
        let mut block = [0xab; BLOCK];
        block[8..].copy_from_slice(&number.to_be_bytes());
        block
    })
}

/// The keystream block by block, with nothing but ECB.
fn naive_ctr(aes: &::aes::Aes128, start: &Block, data: &mut [u8]) {
    use ::aes::cipher::BlockCipherEncrypt;
    let (nonce, number) = start.split_at(8);
    let mut number = u64::from_be_bytes(number.try_into().unwrap());
    for piece in data.chunks_mut(BLOCK) {
        let keystream: Block = [nonce, &number.to_be_bytes()].concat().try_into().unwrap();
        let mut keystream = keystream.into();
        aes.encrypt_block(&mut keystream);
        piece.iter_mut().zip(keystream).for_each(|(byte, key)| *byte ^= key);
        number = number.wrapping_add(1);
    }
}

#[test]
fn ctr_of_every_length_at_every_counter() {
    use ::aes::cipher::KeyInit;
    let key = block(KEY);
    let aes = ::aes::Aes128::new(&key.into());
    on_each(|name, expand| {
        let cipher = expand(&key);
        for start in counters() {
            for len in (0..=1024).chain([4000, 4096, 4097, 9000]) {
                let mut expected = noise(1, len);
                let mut data = expected.clone();
                naive_ctr(&aes, &start, &mut expected);
                cipher.ctr(counter(&start), &mut data);
                assert_eq!(data, expected, "{name}: {len} bytes from {start:x?}");
            }
        }
    });
}

#[test]
fn every_alignment_and_nothing_around_it() {
    let key = block(KEY);
    let portable = portable::PORTABLE.expand;
    let portable = portable(&key);
    on_each(|name, expand| {
        let cipher = expand(&key);
        for start in 0..64 {
            for len in (0..200).chain([511, 512, 513, 640]) {
                let clean = noise(start as u64, start + len + 64);
                let (mut data, mut expected) = (clean.clone(), clean.clone());
                let part = start..start + len;
                cipher.ctr(counter(&[7; 16]), &mut data[part.clone()]);
                portable.ctr(counter(&[7; 16]), &mut expected[part.clone()]);
                assert_eq!(data, expected, "{name}: CTR, {len} bytes at {start}");

                let (mut data, mut expected) = (clean.clone(), clean);
                cipher.cbc_decrypt(&[9; 16], data[part.clone()].as_chunks_mut().0);
                portable.cbc_decrypt(&[9; 16], expected[part].as_chunks_mut().0);
                assert_eq!(data, expected, "{name}: CBC, {len} bytes at {start}");
            }
        }
    });
}

#[test]
fn cbc_of_every_length_there_and_back() {
    let key = block(KEY);
    on_each(|name, expand| {
        let cipher = expand(&key);
        for count in (0..=200).chain([1000, 4096]) {
            let clear = noise(count as u64, count * BLOCK);
            let (mut chain, mut data) = ([5; BLOCK], clear.clone());
            cipher.cbc_encrypt(&mut chain, data.as_chunks_mut().0);
            assert_eq!(data.as_chunks().0.last().unwrap_or(&[5; BLOCK]), &chain, "{name}: {count}");
            cipher.cbc_decrypt(&[5; BLOCK], data.as_chunks_mut().0);
            assert_eq!(data, clear, "{name}: {count}");
        }
    });
}

#[test]
fn every_lane_is_a_chain_of_its_own() {
    let key = block(KEY);
    on_each(|name, expand| {
        let cipher = expand(&key);
        // So many lanes, and so many blocks that each has more than the one before it.
        for (lanes, first, more) in (1..=LANES).flat_map(|lanes| [(lanes, 7, 0), (lanes, 0, 1)]) {
            let lengths = (0..lanes).map(|lane| first + more * lane);
            let clear: Vec<_> =
                lengths.map(|count| noise(count as u64, (count + 1) * BLOCK)).collect();
            let mut data = clear.clone();
            let mut lanes: Vec<_> = data
                .iter_mut()
                .map(|data| {
                    let (chain, blocks) = data.as_chunks_mut().0.split_first_mut().unwrap();
                    Lane { chain: *chain, blocks }
                })
                .collect();
            let mut stage = Stage::new();
            while lanes.iter().any(|lane| !lane.blocks.is_empty()) {
                cipher.cbc_encrypt_lanes(&mut stage, &mut lanes);
            }
            let chains: Vec<_> = lanes.into_iter().map(|lane| lane.chain).collect();
            for ((mut clear, data), end) in clear.into_iter().zip(data).zip(chains) {
                let (chain, blocks) = clear.as_chunks_mut().0.split_first_mut().unwrap();
                let mut chain = *chain;
                cipher.cbc_encrypt(&mut chain, blocks);
                assert_eq!((data, end), (clear, chain), "{name}");
            }
        }
    });
}

fn blocks(seed: u64) -> [Block; GATHER] {
    noise(seed, GATHER * BLOCK).as_chunks().0.try_into().unwrap()
}

#[test]
fn gathered_blocks_of_every_count() {
    let key = block(KEY);
    let portable = (portable::PORTABLE.expand)(&key);
    on_each(|name, expand| {
        let cipher = expand(&key);
        for count in 0..=GATHER {
            let partners = blocks(1);
            let (mut data, mut expected) = (blocks(2), blocks(2));
            cipher.ctr_gathered(&partners, &mut data, count);
            portable.ctr_gathered(&partners, &mut expected, count);
            assert_eq!(data[..count], expected[..count], "{name}: {count}");

            let (mut data, mut expected) = (blocks(3), blocks(3));
            cipher.cbc_decrypt_gathered(&partners, &mut data, count);
            portable.cbc_decrypt_gathered(&partners, &mut expected, count);
            assert_eq!(data[..count], expected[..count], "{name}: {count}");
        }
    });
}

proptest! {
    #[test]
    fn any_key_and_data(
        key in any::<Block>(),
        start in any::<Block>(),
        data in proptest::collection::vec(any::<u8>(), 0..3000),
    ) {
        let portable = (portable::PORTABLE.expand)(&key);
        let (mut ctr, mut cbc) = (data.clone(), data.clone());
        portable.ctr(counter(&start), &mut ctr);
        portable.cbc_decrypt(&start, cbc.as_chunks_mut().0);
        for kernel in Kernel::all() {
            let cipher = kernel.expand(&key);
            let mut found = data.clone();
            cipher.ctr(counter(&start), &mut found);
            prop_assert_eq!(&found, &ctr, "{}", kernel);
            let mut found = data.clone();
            cipher.cbc_decrypt(&start, found.as_chunks_mut().0);
            prop_assert_eq!(&found, &cbc, "{}", kernel);
        }
    }
}
