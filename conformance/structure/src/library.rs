//! The program's library on an input in this process: with all of it at hand, and as it would come by a
//! pipe.

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use cenc::{Key, Pattern, Scheme};
use clearkey::KeyId;
use container::{
    Error, Plan, Planner, Relocation, Step, Verdict, Verifier, Window,
    encrypt::{Encryptor, IvSettings, Settings, TrackKey, TrackSettings},
};

use crate::{answer::Answer, subject::Subject};

/// The sizes in which the command reads pipes, and works on files.
const READ: usize = 64 << 10;
const WINDOW: u64 = 512 << 10;

/// What the library makes of an input.
pub(crate) struct Made {
    pub(crate) answer: Answer,
    /// The variant of the error, if there was one.
    pub(crate) error: Option<String>,
    /// The output, if there is one.
    pub(crate) output: Option<Vec<u8>>,
    /// What a pipe would have got before the input was refused.
    pub(crate) begun: Vec<u8>,
}

/// How an input comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coming {
    Whole,
    Piecewise,
}

/// Why there is no output.
enum Stop {
    Error(Error),
    WrongKey(BTreeSet<String>),
    /// What the command says for itself.
    NoTracks(&'static str),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

pub(crate) fn decrypt(subject: &Subject, input: &[u8], coming: Coming) -> Made {
    let (init, file) = subject.parts(input);
    let (mut output, mut done) = (file.to_vec(), 0);
    let mut made = made(|| {
        decrypted(subject, init, file, coming, &mut output, &mut done)?;
        Ok(Vec::new())
    });
    match made.answer {
        Answer::Done => made.output = Some(output),
        _ if coming == Coming::Piecewise => {
            output.truncate(done);
            made.begun = output;
        }
        _ => {}
    }
    made
}

/// Looks for all that `--compact` would correct, and makes the compact output.
pub(crate) fn compact(subject: &Subject, input: &[u8]) -> Made {
    let (init, file) = subject.parts(input);
    made(|| compacted(subject, init, file))
}

pub(crate) fn encrypt(subject: &Subject, file: &[u8]) -> Made {
    made(|| encrypted(subject, file))
}

/// Nothing that a file says may be the reason of a panic.
fn made(work: impl FnOnce() -> Result<Vec<u8>, Stop>) -> Made {
    let (answer, error, output) = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(output)) => (Answer::Done, None, Some(output)),
        Ok(Err(Stop::WrongKey(kids))) => (Answer::WrongKey(kids), None, None),
        Ok(Err(Stop::NoTracks(why))) => (Answer::Refused(why.to_owned()), None, None),
        Ok(Err(Stop::Error(Error::NoKey { kid, track }))) => {
            let kid = format!("KID {kid} (track {track})");
            (Answer::NoKey([kid].into()), Some("NoKey".to_owned()), None)
        }
        Ok(Err(Stop::Error(error))) => {
            let name = format!("{error:?}");
            let name = name.split([' ', '{']).next().unwrap_or_default().to_owned();
            (Answer::Refused(chain(&error)), Some(name), None)
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            (Answer::Died(format!("a panic: {}", text.unwrap_or_default())), None, None)
        }
    };
    Made { answer, error, output, begun: Vec::new() }
}

/// An error with its causes, as the command prints it.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Plans all units of an input.
fn units(
    init: Option<&[u8]>,
    file: &[u8],
    coming: Coming,
    mut each: impl FnMut(&Planner, Plan) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut planner = match init {
        Some(init) => Planner::with_init(&Window::new(0, init))?,
        None => Planner::new(),
    };
    // What is at hand: from the end of the last unit on, up to what has come.
    let (mut at, mut come, mut is_all) = match coming {
        Coming::Whole => (0, file.len(), true),
        Coming::Piecewise => (0, 0, false),
    };
    loop {
        match planner.next_unit(&Window::new(at as u64, &file[at..come]), is_all)? {
            Step::Unit(plan) => {
                if coming == Coming::Piecewise {
                    at = usize::try_from(plan.range().end).unwrap_or(usize::MAX);
                }
                each(&planner, plan)?;
            }
            Step::More(until) => {
                assert!(!is_all, "more is wanted than there is");
                while !is_all && (come as u64) < until {
                    let more = READ.min(file.len() - come);
                    (come, is_all) = (come + more, more == 0);
                }
            }
            Step::Everything => {
                assert!(!is_all, "all is wanted, and is there");
                (come, is_all) = (file.len(), true);
            }
            Step::End => return Ok(()),
        }
    }
}

/// The keys that look wrong, if any do.
fn judge(verifier: &Verifier) -> Result<(), Stop> {
    let wrong: BTreeSet<_> = verifier
        .findings()
        .into_iter()
        .filter(|finding| finding.verdict == Verdict::Wrong)
        .map(|finding| format!("KID {} (track {})", finding.kid, finding.track))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(Stop::WrongKey(wrong)) }
}

/// Decrypts `output`, which is the input at first; up to `done` it is what is put out.
fn decrypted(
    subject: &Subject,
    init: Option<&[u8]>,
    file: &[u8],
    coming: Coming,
    output: &mut [u8],
    done: &mut usize,
) -> Result<(), Stop> {
    let verifier = Verifier::new();
    units(init, file, coming, |_, plan| {
        let ready = plan.resolve(&subject.keys, &BTreeSet::new())?;
        verifier.begin(&ready);
        for window in ready.plan().windows(WINDOW) {
            let bytes = place(output, window.start, window.end);
            ready.decrypt(window.start, bytes)?;
            if verifier.look(&ready, window.start, bytes) {
                judge(&verifier)?;
            }
            ready.edit(window.start, bytes);
            *done = usize::try_from(window.end).unwrap_or(usize::MAX);
        }
        Ok(())
    })?;
    judge(&verifier)
}

fn compacted(subject: &Subject, init: Option<&[u8]>, file: &[u8]) -> Result<Vec<u8>, Stop> {
    let mut relocation = Relocation::new();
    units(init, file, Coming::Whole, |_, plan| {
        let ready = plan.resolve(&subject.keys, &BTreeSet::new())?;
        ready.discards().for_each(|piece| relocation.remove(piece));
        Ok(())
    })?;
    let mut output = Vec::new();
    let mut bytes = file.to_vec();
    units(init, file, Coming::Whole, |planner, plan| {
        let ready = plan.resolve(&subject.keys, &BTreeSet::new())?;
        let unit = ready.plan().range();
        let corrections = planner.relocate(&Window::new(0, file), unit, &relocation)?;
        for window in ready.plan().windows(WINDOW) {
            let bytes = place(&mut bytes, window.start, window.end);
            ready.apply(window.start, bytes)?;
            corrections.iter().for_each(|edit| edit.write(window.start, bytes));
            let pieces = ready.pieces(&relocation, window.start, bytes);
            pieces.for_each(|(_, piece)| output.extend_from_slice(piece));
        }
        Ok(())
    })?;
    Ok(output)
}

fn place(bytes: &mut [u8], start: u64, end: u64) -> &mut [u8] {
    let [start, end] = [start, end].map(|at| usize::try_from(at).unwrap_or(usize::MAX));
    &mut bytes[start..end]
}

/// What `--iv` is given for the first track; the others begin 2^48 later.
const IV: u64 = 0x0123_4567_89ab_cdef;

fn encrypted(subject: &Subject, file: &[u8]) -> Result<Vec<u8>, Stop> {
    let whole = Window::new(0, file);
    let mut declared = Vec::new();
    let mut planner = Planner::new();
    while declared.is_empty() {
        match planner.next_unit(&whole, true)? {
            Step::Unit(plan) => declared = plan.tracks().to_vec(),
            _ => return Err(Stop::NoTracks("no tracks")),
        }
    }
    let (kid, key) = subject.keys.first();
    let protected = declared.iter().filter(|track| matches!(&track.handler.0, b"vide" | b"soun"));
    let settings = |(index, track): (u64, &container::Track)| {
        let first = u128::from(IV.wrapping_add(index << 48)) << 64;
        TrackSettings {
            track: track.id,
            keys: vec![TrackKey { kid: kid.clone(), key: Arc::clone(&key) }],
            pattern: Pattern::NONE,
            iv: IvSettings::PerSample { size: 8, first: first.to_be_bytes() },
        }
    };
    let tracks: Vec<_> = (0..).zip(protected).map(settings).collect();
    if tracks.is_empty() {
        return Err(Stop::NoTracks("no track is left to be encrypted"));
    }
    let mut encryptor = Encryptor::new(Settings {
        scheme: Scheme::Cenc,
        tracks,
        pssh: Vec::new(),
        piff: false,
        clear_lead: None,
        rotate: None,
    });
    let (mut relocation, mut plans) = (Relocation::new(), Vec::new());
    while let Some(ready) = encryptor.next_unit(&whole)? {
        ready.edits().for_each(|edit| relocation.add(edit));
        plans.push(ready);
    }
    let mut output = Vec::new();
    let mut bytes = file.to_vec();
    for ready in plans {
        let corrections = encryptor.relocate(&whole, ready.plan().range(), &relocation)?;
        for window in ready.plan().windows(WINDOW) {
            let bytes = place(&mut bytes, window.start, window.end);
            ready.encrypt(window.start, bytes)?;
            ready.edit(window.start, bytes);
            corrections.iter().for_each(|edit| edit.write(window.start, bytes));
            let pieces = ready.pieces(&relocation, window.start, bytes);
            pieces.for_each(|(_, piece)| output.extend_from_slice(piece));
        }
    }
    Ok(output)
}

/// Keys by their ids.
#[derive(Clone, Debug)]
pub(crate) struct Keys(Vec<(KeyId, Arc<Key>)>);

impl Keys {
    /// Keys as `KID:KEY` in hex.
    pub(crate) fn read(texts: &[String]) -> Option<Self> {
        let octets = |hex: &str| -> Option<[u8; 16]> {
            data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?.try_into().ok()
        };
        let key = |text: &String| {
            let (kid, key) = text.split_once(':')?;
            Some((KeyId::from(octets(kid)?), Arc::new(Key::new(&octets(key)?))))
        };
        let keys: Vec<_> = texts.iter().map(key).collect::<Option<_>>()?;
        (!keys.is_empty()).then_some(Self(keys))
    }

    fn first(&self) -> (KeyId, Arc<Key>) {
        let (kid, key) = &self.0[0];
        (kid.clone(), Arc::clone(key))
    }
}

impl container::KeySource for Keys {
    fn key(&self, _: u32, kid: &KeyId) -> Option<Arc<Key>> {
        self.0.iter().find(|(known, _)| known == kid).map(|(_, key)| Arc::clone(key))
    }
}
