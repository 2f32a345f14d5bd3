//! What must be so of an input: the same answer in every way, and nothing half-done.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    time::Duration,
};

use peak_alloc::PeakAlloc;
use rustix::time::{ClockId, clock_gettime};

use crate::{
    answer::Answer,
    library::{self, Coming, Made},
    process::{Bench, Run, Way},
    subject::Subject,
};

/// CPU time that nothing may take.
const SLOW: Duration = Duration::from_secs(1);
/// Memory that nothing may need.
const LARGE: u64 = 64 << 20;

/// What came of an input.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// What must not be so.
    pub(crate) wrong: Vec<String>,
    /// Of the library: what was answered to decryption, and the error's variant.
    pub(crate) class: &'static str,
    pub(crate) error: Option<String>,
    /// Words of the answer, without numbers.
    pub(crate) shape: String,
    /// To encryption, if that was asked for.
    pub(crate) encrypt: Option<&'static str>,
    /// Differences that a rule allows, by rule.
    pub(crate) allowed: BTreeSet<&'static str>,
    /// CPU time that the library took.
    pub(crate) cpu: Duration,
    pub(crate) runs: Option<Runs>,
}

/// What processes took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Runs {
    pub(crate) count: u64,
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
    pub(crate) resident: u64,
}

/// What the library made of an input, in every way.
struct Library {
    whole: Made,
    piecewise: Made,
    encrypted: Option<Made>,
}

/// Has an input looked at by the library, and by processes if `is_sampled`.
pub(crate) fn judge(
    subject: &Subject,
    input: &[u8],
    memory: &PeakAlloc,
    bench: &Bench,
    is_sampled: impl FnOnce(&Verdict) -> bool,
) -> io::Result<Verdict> {
    let mut verdict = Verdict::default();
    let start = cpu();
    let whole = library::decrypt(subject, input, Coming::Whole);
    let piecewise = library::decrypt(subject, input, Coming::Piecewise);
    let compact = library::compact(subject, input);
    let encrypted = subject.is_clear.then(|| library::encrypt(subject, input));
    verdict.cpu = cpu().saturating_sub(start);
    verdict.class = whole.answer.class();
    verdict.shape = whole.answer.shape();
    verdict.error.clone_from(&whole.error);
    verdict.encrypt = encrypted.as_ref().map(|made| made.answer.class());
    let library = Library { whole, piecewise, encrypted };
    in_process(&mut verdict, &library, &compact, subject.parts(input).1);
    if verdict.cpu > SLOW {
        verdict.wrong.push(format!("the library takes {:?} of CPU time", verdict.cpu));
    }
    // All threads together, and what this program holds itself.
    let heap = memory.peak_usage() as u64;
    if heap > LARGE {
        verdict.wrong.push(format!("the heap was {heap} bytes"));
    }
    drop(compact);
    if is_sampled(&verdict) {
        let (init, media) = subject.parts(input);
        bench.lay(init, media)?;
        let mut runs = BTreeMap::new();
        for way in Way::DECRYPT {
            runs.insert(way, bench.run(way, subject, init.is_some())?);
        }
        if subject.is_clear {
            for way in Way::ENCRYPT {
                runs.insert(way, bench.run(way, subject, init.is_some())?);
            }
        }
        processes(&mut verdict, &library, &runs, media);
    }
    Ok(verdict)
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn in_process(verdict: &mut Verdict, library: &Library, compact: &Made, input: &[u8]) {
    let Library { whole, piecewise, encrypted } = library;
    let all = [("whole", whole), ("piecewise", piecewise), ("compact", compact)];
    let encrypted = encrypted.iter().map(|made| ("encrypted", made));
    for (name, made) in all.into_iter().chain(encrypted) {
        if let Answer::Died(why) = &made.answer {
            verdict.wrong.push(format!("{name}: {why}"));
        }
        if matches!(&made.answer, Answer::Refused(message) if message.is_empty()) {
            verdict.wrong.push(format!("{name}: refused without a word"));
        }
    }
    alike(verdict, "piecewise", &piecewise.answer, "whole", &whole.answer);
    let wrong = &mut verdict.wrong;
    if whole.output != piecewise.output {
        wrong.push("whole and piecewise the outputs differ".to_owned());
    }
    if let Some(output) = &whole.output
        && output.len() != input.len()
    {
        wrong.push(format!("{} bytes became {}", input.len(), output.len()));
    }
    // What cannot be decrypted cannot be made compact either. A wrong key is not looked for there.
    match (&whole.answer, &compact.answer) {
        (Answer::Refused(one), Answer::Refused(other)) if one != other => {
            wrong.push(format!("by default refused: {one}; compact: {other}"));
        }
        (Answer::Refused(one), Answer::Done) => {
            wrong.push(format!("by default refused: {one}; compact: done"));
        }
        (Answer::Done, Answer::Refused(_)) => _ = verdict.allowed.insert(COMPACT),
        _ => {}
    }
}

fn processes(verdict: &mut Verdict, library: &Library, runs: &BTreeMap<Way, Run>, input: &[u8]) {
    let mut used = Runs::default();
    for (way, run) in runs {
        used.count += 1;
        used.cpu = used.cpu.max(run.cpu);
        used.wall = used.wall.max(run.wall);
        used.resident = used.resident.max(run.resident);
        let mut wrong = |what: String| verdict.wrong.push(format!("{way:?}: {what}"));
        if let Answer::Died(why) = &run.answer {
            wrong(why.clone());
        }
        if run.cpu > SLOW {
            wrong(format!("{:?} of CPU time", run.cpu));
        }
        if run.resident > LARGE {
            wrong(format!("{} bytes of memory", run.resident));
        }
        if !run.left.is_empty() {
            wrong(format!("left behind: {}", run.left.join(", ")));
        }
    }
    verdict.runs = Some(used);
    let file = &runs[&Way::File];
    alike(verdict, "library", &library.whole.answer, "file", &file.answer);
    let whole = library.whole.output.as_deref();
    if file.output.as_deref() != whole {
        verdict.wrong.push("the outputs of library and file differ".to_owned());
    }
    for way in [Way::Stdin, Way::InPlace] {
        let run = &runs[&way];
        let name = if way == Way::Stdin { "stdin" } else { "in place" };
        alike(verdict, name, &run.answer, "file", &file.answer);
        let output = run.output.as_deref();
        match (&run.answer, way) {
            (Answer::Done, _) => {
                if output != file.output.as_deref() {
                    verdict.wrong.push(format!("the outputs of {name} and file differ"));
                }
                if run.said != file.said {
                    verdict.wrong.push(format!("{name} says {:?}, file {:?}", run.said, file.said));
                }
            }
            (_, Way::InPlace) => {
                if output != Some(input) {
                    verdict.wrong.push("in place: refused, and changed".to_owned());
                }
            }
            _ => begun(verdict, &run.answer, output.unwrap_or_default(), &library.piecewise.begun),
        }
    }
    let inspect = &runs[&Way::Inspect].answer;
    match (inspect, &file.answer) {
        (Answer::Refused(one), Answer::Refused(other)) if one != other => {
            verdict.wrong.push(format!("inspect: {one}; file: {other}"));
        }
        (Answer::Refused(one), Answer::Done) => {
            verdict.wrong.push(format!("inspect: {one}; file: done"));
        }
        (Answer::Done, Answer::Refused(other)) => {
            verdict.wrong.push(format!("inspect: done; file: {other}"));
        }
        (Answer::NoKey(_) | Answer::WrongKey(_), _) => {
            verdict.wrong.push("inspect asks for keys".to_owned());
        }
        _ => {}
    }
    if let (Some(encrypted), Some(piped), Some(made)) =
        (runs.get(&Way::Encrypt), runs.get(&Way::EncryptStdin), &library.encrypted)
    {
        if encrypted.answer != piped.answer {
            let what = format!("encrypt: {}; by stdin: {}", encrypted.answer, piped.answer);
            verdict.wrong.push(what);
        }
        if encrypted.answer == Answer::Done && encrypted.output != piped.output {
            verdict.wrong.push("encrypt: the outputs of file and stdin differ".to_owned());
        }
        if encrypted.answer != made.answer {
            let what = format!("encrypt: {}; library: {}", encrypted.answer, made.answer);
            verdict.wrong.push(what);
        }
        if encrypted.answer == Answer::Done && encrypted.output != made.output {
            verdict.wrong.push("encrypt: the outputs of file and library differ".to_owned());
        }
    }
}

/// What a pipe has got cannot be taken back: it is what had been decrypted before the input was refused.
fn begun(verdict: &mut Verdict, answer: &Answer, output: &[u8], expected: &[u8]) {
    let is_right = match answer {
        // Threads look at samples, and a key may have been found wrong a little later.
        Answer::WrongKey(_) => output.starts_with(expected) || expected.starts_with(output),
        _ => output == expected,
    };
    if !is_right {
        let (some, all) = (output.len(), expected.len());
        verdict.wrong.push(format!("stdin: refused after {some} bytes, the library after {all}"));
    }
}

/// Offsets that `--compact` corrects have to be right; nobody else reads them.
const COMPACT: &str = "only `--compact` refuses it";
/// Only a file can be gone over again, to see which other keys it wants.
const ALL_KEYS: &str = "only a file names all keys that are missing";
/// How long a pipe is shows when it ends. What a file has too little room for is waited for there, and something
/// else may be found wrong meanwhile.
const NO_END: &str = "a file is too short, and a pipe is refused before its end";

/// Asks for the same answer in two ways; where it may differ, for what must be the same still.
fn alike(verdict: &mut Verdict, one: &str, answer: &Answer, other: &str, expected: &Answer) {
    let is_too_short = |message: &str| {
        message.ends_with("lie beyond the end of the input")
            || message.contains(" bytes, but only ") && message.ends_with(" are left")
    };
    let is_pipe = matches!(one, "piecewise" | "stdin");
    let is_library = one == "library";
    match (answer, expected) {
        _ if answer == expected => {}
        (Answer::NoKey(some), Answer::NoKey(all))
            if (is_pipe || is_library) && some.is_subset(all) && !some.is_empty() =>
        {
            verdict.allowed.insert(ALL_KEYS);
        }
        (Answer::Refused(_), Answer::Refused(short)) if is_pipe && is_too_short(short) => {
            verdict.allowed.insert(NO_END);
        }
        _ => verdict.wrong.push(format!("{one}: {answer}; {other}: {expected}")),
    }
}
