//! A key is nowhere in memory when it is gone: neither its octets nor what the kernels expand of them.
// Tests may panic.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
#![cfg(target_os = "linux")]

#[path = "../../conformance/hygiene/scan.rs"]
mod scan;

use cenc::{
    Iv, Kernel, Key, Pattern, Sample, SampleEncryption, Scheme, decrypt_batch, decrypt_sample,
    encrypt_batch, encrypt_sample,
};
use scan::{Needle, Secret, is_alive, is_gone};

const MASK: u8 = 0xa5;

const fn masked(octets: [u8; 16]) -> [u8; 16] {
    let mut masked = octets;
    let mut at = 0;
    while at < 16 {
        masked[at] ^= MASK;
        at += 1;
    }
    masked
}

/// The key of FIPS 197, appendix A.1, and some of its round keys, as no constant but a masked one has them.
const KEY: Secret =
    Secret::masked(masked(0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128.to_be_bytes()));
const OTHER: Secret = Secret::new(1);
const SINGLE: Secret = Secret::new(2);
const ROUND_1: [u8; 16] = masked(0xa0fa_fe17_8854_2cb1_23a3_3939_2a6c_7605_u128.to_be_bytes());
const ROUND_9: [u8; 16] = masked(0xac77_66f3_19fa_dc21_28d1_2941_575c_006e_u128.to_be_bytes());
const ROUND_10: [u8; 16] = masked(0xd014_f9a8_c9ee_2589_e13f_0cc8_b663_0ca6_u128.to_be_bytes());

fn schedule() -> Vec<Needle> {
    let rounds = [("round 1", ROUND_1), ("round 9", ROUND_9), ("round 10", ROUND_10)];
    let halves = rounds.into_iter().flat_map(|(name, round)| {
        let half = move |from: usize| (from..from + 8).map(move |at| round[at] ^ MASK);
        [Needle::new(name, half(0)), Needle::new(format!("end of {name}"), half(8))]
    });
    halves.collect()
}

/// Both directions, every scheme, and samples longer than any kernel takes at once.
fn work_with(key: &Key) {
    for scheme in [Scheme::Cenc, Scheme::Cens, Scheme::Cbc1, Scheme::Cbcs] {
        let pattern = match scheme.takes_pattern() {
            true => Pattern::new(1, 9).unwrap(),
            false => Pattern::NONE,
        };
        let iv = Iv::new(&[9; 16]).unwrap();
        let encryption = SampleEncryption::new(scheme, iv, pattern, None).unwrap();
        let mut samples = vec![vec![7; 10_007]; 40];
        encrypt_sample(key, &encryption, &mut samples[0]).unwrap();
        decrypt_sample(key, &encryption, &mut samples[0]).unwrap();
        let all = samples.iter_mut().map(|data| Sample { key, encryption, data });
        encrypt_batch(all).unwrap();
        let all = samples.iter_mut().map(|data| Sample { key, encryption, data });
        decrypt_batch(all).unwrap();
    }
}

#[test]
fn a_key_is_gone_when_it_is_dropped() {
    let needles = [KEY.needles(), schedule()].concat();
    for kernel in Kernel::all() {
        is_gone(&needles, &format!("{kernel}, before"));
        let octets = KEY.reveal();
        is_alive(&KEY.needles(), "its octets");
        let key = Key::on(kernel, <&[u8; 16]>::try_from(&octets[..]).unwrap());
        drop(octets);
        work_with(&key);
        is_alive(&needles, &format!("{kernel}, at work"));
        drop(key);
        is_gone(&needles, &format!("{kernel}"));
    }
}

/// The same of the first thing that anyone does with a key: nothing overwrites what that leaves on the stack.
#[test]
fn a_key_that_was_never_used_is_gone_when_it_is_dropped() {
    let needles = OTHER.needles();
    for kernel in Kernel::all() {
        let octets = OTHER.reveal();
        let key = Key::on(kernel, <&[u8; 16]>::try_from(&octets[..]).unwrap());
        is_alive(&needles, &format!("{kernel}, expanded"));
        drop((key, octets));
        is_gone(&needles, &format!("{kernel}"));
    }
}

/// Single samples may leave something on the stack, until then.
#[test]
fn what_single_samples_leave_is_gone_when_the_key_is_dropped() {
    let needles = SINGLE.needles();
    for kernel in Kernel::all() {
        let octets = SINGLE.reveal();
        let key = Key::on(kernel, <&[u8; 16]>::try_from(&octets[..]).unwrap());
        drop(octets);
        for scheme in [Scheme::Cenc, Scheme::Cbcs] {
            let iv = Iv::new(&[9; 16]).unwrap();
            let encryption = SampleEncryption::new(scheme, iv, Pattern::NONE, None).unwrap();
            let mut sample = vec![7; 10_007];
            encrypt_sample(&key, &encryption, &mut sample).unwrap();
            decrypt_sample(&key, &encryption, &mut sample).unwrap();
        }
        drop(key);
        is_gone(&needles, &format!("{kernel}"));
    }
}
