//! Looks for keys in the memory of this process, all of which `/proc/self/mem` shows: heap, stacks, statics.
//!
//! Tests take it in by `#[path]`. What is looked for is kept masked, and made one octet at a time, so that a search
//! does not find what it looks with.

use std::{
    fs::{self, File},
    io::BufRead,
    os::unix::fs::FileExt,
    sync::{Mutex, PoisonError},
};

use zeroize::{Zeroize, Zeroizing};

const MASK: u8 = 0xa5;

/// Octets to look for.
#[derive(Clone)]
pub(crate) struct Needle {
    name: String,
    masked: Vec<u8>,
}

impl Needle {
    pub(crate) fn new(name: impl Into<String>, octets: impl Iterator<Item = u8>) -> Self {
        Self { name: name.into(), masked: octets.map(|octet| octet ^ MASK).collect() }
    }

    /// Whether it begins at such a place.
    fn is_in(&self, bytes: &[u8], is_wanted: impl Fn(usize) -> bool) -> bool {
        let first = self.masked[0] ^ MASK;
        let mut rest = bytes;
        // That is a fast search also where nothing is optimised.
        while let Ok(1..) = rest.skip_until(first) {
            let at = bytes.len() - rest.len() - 1;
            let there = &bytes[at..];
            let is_here = there.len() >= self.masked.len()
                && there.iter().zip(&self.masked).all(|(found, masked)| found ^ MASK == *masked);
            if is_here && is_wanted(at) {
                return true;
            }
        }
        false
    }
}

/// Octets that never lie in memory but where they are revealed.
#[derive(Clone, Copy)]
pub(crate) struct Secret {
    masked: [u8; 16],
}

#[allow(dead_code, reason = "no test needs all of it")]
impl Secret {
    /// Another one for each number.
    pub(crate) const fn new(number: u8) -> Self {
        let mut masked = [0; 16];
        let mut state = number as u32 * 2_654_435 + 12_345;
        let mut at = 0;
        while at < 16 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            masked[at] = (state >> 24) as u8;
            at += 1;
        }
        Self { masked }
    }

    /// These octets, which are masked already.
    pub(crate) const fn masked(masked: [u8; 16]) -> Self {
        Self { masked }
    }

    fn octet(self, at: usize) -> u8 {
        self.masked[at] ^ MASK
    }

    /// The octets themselves, on the heap.
    pub(crate) fn reveal(self) -> Zeroizing<Vec<u8>> {
        let mut octets = Zeroizing::new(Vec::with_capacity(16));
        (0..16).for_each(|at| octets.push(self.octet(at)));
        octets
    }

    /// Appends them as base64url, a character at a time.
    pub(crate) fn write_base64url(self, text: &mut Zeroizing<Vec<u8>>) {
        text.reserve_exact(22);
        (0..22).for_each(|at| text.push(self.base64url(at)));
    }

    /// Appends them as hex digits, likewise.
    pub(crate) fn write_hex(self, text: &mut Zeroizing<Vec<u8>>) {
        text.reserve_exact(32);
        (0..32).for_each(|at| text.push(self.hex(at)));
    }

    fn base64url(self, at: usize) -> u8 {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bit = |bit: usize| match bit < 128 {
            true => self.octet(bit / 8) >> (7 - bit % 8) & 1,
            false => 0,
        };
        let index = (0..6).fold(0, |index, place| index << 1 | bit(at * 6 + place));
        ALPHABET[usize::from(index)]
    }

    fn hex(self, at: usize) -> u8 {
        let octet = self.octet(at / 2);
        b"0123456789abcdef"[usize::from(if at.is_multiple_of(2) { octet >> 4 } else { octet & 15 })]
    }

    /// Its halves, as octets, base64url and hex digits: a register or a buffer may hold no more than that.
    pub(crate) fn needles(self) -> Vec<Needle> {
        vec![
            Needle::new("first octets", (0..8).map(|at| self.octet(at))),
            Needle::new("last octets", (8..16).map(|at| self.octet(at))),
            Needle::new("base64url", (0..11).map(|at| self.base64url(at))),
            Needle::new("end of base64url", (11..21).map(|at| self.base64url(at))),
            Needle::new("hex", (0..16).map(|at| self.hex(at))),
            Needle::new("end of hex", (16..32).map(|at| self.hex(at))),
        ]
    }
}

/// What of this is in the memory of this process that was ever written to, each with the part of memory that it is in.
pub(crate) fn found(needles: &[Needle]) -> Vec<String> {
    // The buffer of another search would hold what that has just read.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let memory = File::open("/proc/self/mem").unwrap();
    let longest = needles.iter().map(|needle| needle.masked.len()).max().unwrap_or(1);
    let mut found = Vec::new();
    let mut buffer = vec![0; CHUNK];
    let own = buffer.as_ptr().addr()..buffer.as_ptr().addr() + CHUNK;
    for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        let name = words.nth(3).unwrap_or("no name");
        if !rights.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [mut at, end] = [start, end].map(|text| usize::from_str_radix(text, 16).unwrap());
        while at < end {
            let len = CHUNK.min(end - at);
            let bytes = &mut buffer[..len];
            if memory.read_exact_at(bytes, at as u64).is_ok() {
                let outside = |place: usize| !own.contains(&(at + place));
                let are_there = needles.iter().filter(|needle| needle.is_in(bytes, outside));
                found.extend(are_there.map(|needle| format!("{} in {name}", needle.name)));
            }
            // What lies across the border of two chunks is in the second.
            at = if len == end - at { end } else { at + len - longest + 1 };
        }
    }
    // It holds what it was read from.
    buffer.zeroize();
    found.sort();
    found.dedup();
    found
}

const CHUNK: usize = 1 << 20;

/// Whether any of it is somewhere, as it must be while a key is alive: a search that finds nothing then proves
/// nothing later.
#[track_caller]
#[allow(dead_code, reason = "no test needs all of it")]
pub(crate) fn is_alive(needles: &[Needle], what: &str) {
    assert!(!found(needles).is_empty(), "{what}: the search finds nothing while it is there");
}

/// Whether nothing of it is anywhere.
#[track_caller]
#[allow(dead_code, reason = "no test needs all of it")]
pub(crate) fn is_gone(needles: &[Needle], what: &str) {
    let found = found(needles);
    assert!(found.is_empty(), "{what}: {}", found.join(", "));
}

/// Overwrites the stack below the caller.
#[inline(never)]
#[allow(dead_code, reason = "no test needs all of it")]
pub(crate) fn overwrite_stack() {
    std::hint::black_box(&mut [0_u64; 8 << 10]);
}
