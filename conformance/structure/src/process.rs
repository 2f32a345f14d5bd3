//! The command as its users run it, one process for each way, and what each took.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::{fs::FileExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Resource, Rlimit, pidfd_open, prlimit},
};
use wait4::Wait4;

use crate::{answer::Answer, subject::Subject};

/// Data, heap and stacks that a process may ask for, in bytes: what is never touched counts, too.
const DATA: u64 = 64 << 20;

/// A process that takes longer is ended, and has failed.
const TOO_LONG: Timespec = Timespec { tv_sec: 30, tv_nsec: 0 };

/// How the command gets an input, and what it does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    File,
    Stdin,
    InPlace,
    Inspect,
    Encrypt,
    EncryptStdin,
}

impl Way {
    /// Those of an input that is to be decrypted.
    pub(crate) const DECRYPT: [Self; 4] = [Self::File, Self::Stdin, Self::InPlace, Self::Inspect];
    /// Those of an input that is to be encrypted.
    pub(crate) const ENCRYPT: [Self; 2] = [Self::Encrypt, Self::EncryptStdin];
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) answer: Answer,
    /// All of stderr, with the input called IN.
    pub(crate) said: String,
    /// What there is of an output: of stdin what came by stdout, in place the file itself.
    pub(crate) output: Option<Vec<u8>>,
    /// Files that should not be there.
    pub(crate) left: Vec<String>,
    /// User and system.
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
    /// Bytes.
    pub(crate) resident: u64,
}

/// A folder to run the command in, used by one thread.
#[derive(Debug)]
pub(crate) struct Bench {
    command: PathBuf,
    folder: PathBuf,
    /// Which input is being looked at: read by who finds that this program was ended by one.
    note: File,
}

impl Bench {
    pub(crate) fn new(command: &Path, folder: PathBuf, note: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder.join("out"))?;
        Ok(Self { command: command.to_owned(), folder, note: File::create(note)? })
    }

    /// Notes an input before anything is done with it.
    pub(crate) fn note(&self, text: &str) -> io::Result<()> {
        self.note.write_all_at(format!("{text:100}\n").as_bytes(), 0)
    }

    /// Puts an input where the runs look for it.
    pub(crate) fn lay(&self, init: Option<&[u8]>, media: &[u8]) -> io::Result<()> {
        if let Some(init) = init {
            fs::write(self.init(), init)?;
        }
        fs::write(self.input(), media)
    }

    fn input(&self) -> PathBuf {
        self.folder.join("input")
    }

    fn init(&self) -> PathBuf {
        self.folder.join("init")
    }

    /// Runs the command over the input that was laid.
    pub(crate) fn run(&self, way: Way, subject: &Subject, has_init: bool) -> io::Result<Run> {
        let out = self.folder.join("out");
        let (output, piped) = (out.join("output"), self.folder.join("piped"));
        let mut command = Command::new(&self.command);
        command.env_clear().env("TMPDIR", &out).stdin(Stdio::null()).stdout(Stdio::null());
        let mut name = self.input().display().to_string();
        command.arg(match way {
            Way::Inspect => "inspect",
            Way::Encrypt | Way::EncryptStdin => "encrypt",
            _ => "decrypt",
        });
        match way {
            Way::File | Way::Encrypt => _ = command.arg(self.input()).arg("-o").arg(&output),
            Way::Inspect => _ = command.arg(self.input()),
            Way::Stdin | Way::EncryptStdin => {
                "stdin".clone_into(&mut name);
                command.args(["-", "-o", "-"]);
                command.stdin(File::open(self.input())?).stdout(File::create(&piped)?);
            }
            Way::InPlace => {
                fs::copy(self.input(), &output)?;
                name = output.display().to_string();
                command.arg("--in-place").arg(&output);
            }
        }
        if way != Way::Inspect {
            let is_encrypt = matches!(way, Way::Encrypt | Way::EncryptStdin);
            let keys = subject.key_texts.iter().take(if is_encrypt { 1 } else { usize::MAX });
            keys.for_each(|key| _ = command.arg("--key").arg(key));
            if is_encrypt {
                command.args(["--iv", "0123456789abcdef", "--pssh", "none"]);
            }
        }
        if has_init {
            command.arg("--init").arg(self.init());
        }
        let (mut run, stderr) = wait(command)?;
        if let Answer::Done = run.answer {
            run.answer =
                Answer::of_process(run.code, &stderr, &[&name, &self.init().display().to_string()]);
        }
        // The input is called differently in each way.
        let said = stderr.replace(&name, "IN");
        let mut left: Vec<_> = fs::read_dir(&out)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .collect();
        let has_output = matches!(way, Way::InPlace)
            || (matches!(way, Way::File | Way::Encrypt) && run.answer == Answer::Done);
        if has_output {
            left.retain(|name| name != "output");
        }
        let result = match way {
            Way::Stdin | Way::EncryptStdin => Some(fs::read(&piped)?),
            Way::InPlace => Some(fs::read(&output)?),
            _ => fs::read(&output).ok(),
        };
        for entry in fs::read_dir(&out)? {
            fs::remove_file(entry?.path())?;
        }
        let Waited { answer, cpu, wall, resident, .. } = run;
        Ok(Run { answer, said, output: result, left, cpu, wall, resident })
    }
}

struct Waited {
    answer: Answer,
    code: i32,
    cpu: Duration,
    wall: Duration,
    resident: u64,
}

/// Starts a command and waits for it, but not forever.
fn wait(mut command: Command) -> io::Result<(Waited, String)> {
    let start = Instant::now();
    let mut child = command.stderr(Stdio::piped()).spawn()?;
    let pid = Pid::from_child(&child);
    let limit = Rlimit { current: Some(DATA), maximum: Some(DATA) };
    prlimit(Some(pid), Resource::Data, limit)?;
    let ended = pidfd_open(pid, PidfdFlags::empty())?;
    let mut answer = Answer::Done;
    if poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&TOO_LONG))? == 0 {
        child.kill()?;
        answer = Answer::Died("it did not end in 30 seconds".to_owned());
    }
    let stderr = child.stderr.take();
    let ended = child.wait4()?;
    let wall = start.elapsed();
    let mut said = Vec::new();
    if let Some(mut stderr) = stderr {
        stderr.read_to_end(&mut said)?;
    }
    let said = String::from_utf8_lossy(&said).into_owned();
    if let (Some(signal), Answer::Done) = (ended.status.signal(), &answer) {
        answer = Answer::Died(format!("signal {signal}: {said}"));
    }
    let code = ended.status.code().unwrap_or(-1);
    let usage = ended.rusage;
    let cpu = usage.utime + usage.stime;
    Ok((Waited { answer, code, cpu, wall, resident: usage.maxrss }, said))
}
