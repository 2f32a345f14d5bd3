//! The files of one origin, in memory, with the faults that a real disk has.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
};

use cdm_abi::FileStatus;

/// Files that outlive their hosts. A handle is cheap to clone.
#[derive(Clone, Default)]
pub struct Disk {
    pub(crate) shared: Rc<Shared>,
}

#[derive(Default)]
pub(crate) struct Shared {
    files: RefCell<BTreeMap<String, Vec<u8>>>,
    open: RefCell<BTreeSet<String>>,
    answers: Cell<Answers>,
    fault: Cell<Option<Fault>>,
    waiting: RefCell<VecDeque<Rc<dyn Fn()>>>,
}

/// When the CDM is told what came of an operation.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Answers {
    /// In [`Disk::turn`].
    #[default]
    Later,
    /// Before the call that asked returns.
    AtOnce,
}

/// What goes wrong with the next operation of its kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// There are no files at all, from now on.
    NoFiles,
    /// Opening fails.
    Open,
    /// Reading fails.
    Read,
    /// So many octets are written, and then the process ends: there is no answer.
    Crash(usize),
    /// So many octets are written, and then writing fails.
    Write(usize),
    /// So many octets are read, as if there were no more.
    Short(usize),
    /// There is no answer, whatever was asked.
    Never,
    /// The answer comes twice, whatever was asked.
    Twice,
}

impl Disk {
    /// Says when operations are answered.
    pub fn answer(&self, answers: Answers) {
        self.shared.answers.set(answers);
    }

    /// Lets an operation go wrong, once; `None` takes it back.
    pub fn fault(&self, fault: Option<Fault>) {
        self.shared.fault.set(fault);
    }

    /// Answers the operation that has waited longest, if any does.
    #[must_use]
    pub fn turn(&self) -> bool {
        let next = self.shared.waiting.borrow_mut().pop_front();
        next.is_some_and(|answer| {
            answer();
            true
        })
    }

    /// Answers operations until none waits.
    pub fn settle(&self) {
        while self.turn() {}
    }

    /// What is on the disk: names and contents, without empty files.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.shared.files.borrow().clone();
        files.retain(|_, content| !content.is_empty());
        files
    }

    /// Replaces a file.
    pub fn put(&self, name: &str, content: Vec<u8>) {
        self.shared.files.borrow_mut().insert(name.to_owned(), content);
    }

    /// How many files are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.open.borrow().len()
    }
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Disk").field(&self.files().keys()).finish()
    }
}

impl Shared {
    pub(crate) fn has_files(&self) -> bool {
        self.fault.get() != Some(Fault::NoFiles)
    }

    /// Answers now or later.
    pub(crate) fn answer(&self, answer: impl Fn() + 'static) {
        let times = if self.strikes(|fault| fault == Fault::Never) {
            0
        } else if self.strikes(|fault| fault == Fault::Twice) {
            2
        } else {
            1
        };
        let answer: Rc<dyn Fn()> = Rc::new(answer);
        for _ in 0..times {
            match self.answers.get() {
                Answers::AtOnce => answer(),
                Answers::Later => self.waiting.borrow_mut().push_back(Rc::clone(&answer)),
            }
        }
    }

    pub(crate) fn open(&self, name: &str) -> FileStatus {
        let is_name = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
        let is_good = (1..256).contains(&name.len()) && name.bytes().all(is_name);
        if self.strikes(|fault| fault == Fault::Open) || !is_good || name.starts_with('_') {
            FileStatus::ERROR
        } else if self.open.borrow_mut().insert(name.to_owned()) {
            FileStatus::SUCCESS
        } else {
            FileStatus::IN_USE
        }
    }

    pub(crate) fn close(&self, name: &str) {
        self.open.borrow_mut().remove(name);
    }

    pub(crate) fn read(&self, name: &str) -> (FileStatus, Vec<u8>) {
        if self.strikes(|fault| fault == Fault::Read) {
            return (FileStatus::ERROR, Vec::new());
        }
        let mut content = self.files.borrow().get(name).cloned().unwrap_or_default();
        if let Some(Fault::Short(len)) = self.fault.get() {
            self.fault.set(None);
            content.truncate(len);
        }
        (FileStatus::SUCCESS, content)
    }

    /// `None`: nobody lives to hear it.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> Option<FileStatus> {
        let (len, status) = match self.fault.get() {
            Some(Fault::Crash(len)) => (len, None),
            Some(Fault::Write(len)) => (len, Some(FileStatus::ERROR)),
            _ => (content.len(), Some(FileStatus::SUCCESS)),
        };
        if status != Some(FileStatus::SUCCESS) {
            self.fault.set(None);
        }
        let content = content[..len.min(content.len())].to_vec();
        self.files.borrow_mut().insert(name.to_owned(), content);
        status
    }

    fn strikes(&self, is_hit: impl Fn(Fault) -> bool) -> bool {
        let is_hit = self.fault.get().is_some_and(is_hit);
        if is_hit {
            self.fault.set(None);
        }
        is_hit
    }
}
