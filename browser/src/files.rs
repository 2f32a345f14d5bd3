//! The host's files as futures: each operation is asked for, and its answer awaited.

#![allow(unsafe_code, reason = "methods of C++ objects, on both sides")]

use std::{
    cell::{Cell, RefCell},
    ffi::c_char,
    future::poll_fn,
    ptr::NonNull,
    rc::{Rc, Weak},
    task::{Poll, Waker},
};

use cdm::store::StoreError;
use cdm_abi::{Destructors, FileIo, FileIoClient, FileIoClientVtable, FileStatus, Table, slice};
use zeroize::Zeroizing;

use crate::host::Host;

/// The files of one instance.
pub(crate) struct Files {
    host: Rc<Host>,
    /// Lets who waits for an answer go on.
    resume: Rc<dyn Fn()>,
    open: RefCell<Vec<Weak<Open>>>,
}

/// A file that is open until this goes.
pub(crate) struct File {
    open: Rc<Open>,
    name: String,
}

/// An open file, which is the host's `FileIOClient` as well.
#[repr(C)]
struct Open {
    vtable: *const FileIoClientVtable,
    /// `None` when it is closed.
    io: Cell<Option<NonNull<FileIo>>>,
    asked: Cell<Option<Asked>>,
    answer: RefCell<Answer>,
    resume: Rc<dyn Fn()>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Asked {
    Open,
    Read,
    Write,
}

enum Answer {
    None(Option<Waker>),
    Here(FileStatus, Zeroizing<Vec<u8>>),
}

impl Files {
    /// `resume` is called after each answer.
    pub(crate) fn new(host: Rc<Host>, resume: impl Fn() + 'static) -> Self {
        Self { host, resume: Rc::new(resume), open: RefCell::default() }
    }

    /// Opens a file: letters, digits and `._-`, the first of them no `_`.
    pub(crate) async fn open(&self, name: String) -> Result<File, StoreError> {
        let open = Rc::new(Open {
            vtable: &CLIENT.slots,
            io: Cell::new(None),
            asked: Cell::new(None),
            answer: RefCell::new(Answer::None(None)),
            resume: Rc::clone(&self.resume),
        });
        let client = NonNull::from_ref(&*open).cast::<FileIoClient>();
        let io = self.host.create_file_io(client);
        open.io.set(Some(io.ok_or_else(|| StoreError::new("the host has no files"))?));
        {
            let mut all = self.open.borrow_mut();
            all.retain(|open| open.strong_count() > 0);
            all.push(Rc::downgrade(&open));
        }
        let file = File { open, name };
        let (text, len) = (file.name.as_ptr().cast::<c_char>(), length(file.name.as_bytes())?);
        // SAFETY: an open `FileIO`, as `ask` says; the name lives on in `file`.
        file.ask(Asked::Open, |io| unsafe { ((*(*io).vtable).open)(io, text, len) }).await?;
        Ok(file)
    }

    /// Closes all files, wherever they are waited for.
    pub(crate) fn close_all(&self) {
        for open in self.open.take() {
            if let Some(open) = open.upgrade() {
                open.close();
            }
        }
    }
}

impl File {
    /// The whole file. One that was never written is empty.
    pub(crate) async fn read(&self) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        // SAFETY: an open `FileIO`, as `ask` says.
        self.ask(Asked::Read, |io| unsafe { ((*(*io).vtable).read)(io) }).await
    }

    /// Replaces the whole file, not atomically: if it fails half-way, a part of it is there.
    pub(crate) async fn write(&self, content: &[u8]) -> Result<(), StoreError> {
        let (data, len) = (content.as_ptr(), length(content)?);
        // SAFETY: an open `FileIO`, as `ask` says; the content is borrowed until the answer is here.
        self.ask(Asked::Write, |io| unsafe { ((*(*io).vtable).write)(io, data, len) }).await?;
        Ok(())
    }

    /// Calls a method of the open file and waits for its answer.
    async fn ask(
        &self,
        what: Asked,
        call: impl FnOnce(*mut FileIo),
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let open = &*self.open;
        let Some(io) = open.io.get() else { return Err(self.failed(what, "is closed")) };
        open.asked.set(Some(what));
        open.answer.replace(Answer::None(None));
        // The host's object, which lives until it is closed.
        call(io.as_ptr());
        let (status, content) = poll_fn(|context| {
            let mut answer = open.answer.borrow_mut();
            match std::mem::replace(&mut *answer, Answer::None(Some(context.waker().clone()))) {
                Answer::Here(status, content) => Poll::Ready((status, content)),
                Answer::None(_) => Poll::Pending,
            }
        })
        .await;
        match status {
            FileStatus::SUCCESS => Ok(content),
            FileStatus::IN_USE => Err(self.failed(what, "is in use elsewhere")),
            _ => Err(self.failed(what, "failed in the host")),
        }
    }

    fn failed(&self, what: Asked, why: &str) -> StoreError {
        StoreError::new(format!("{what:?} of file {}: it {why}", self.name))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.open.close();
    }
}

impl Open {
    fn close(&self) {
        if let Some(io) = self.io.take() {
            // SAFETY: the host's object, which lives until this call, and is not used after it.
            unsafe { ((*(*io.as_ptr()).vtable).close)(io.as_ptr()) };
        }
    }

    /// Takes an answer, if it is one to what was asked.
    fn complete(&self, what: Asked, status: FileStatus, content: &[u8]) {
        if self.asked.get() != Some(what) {
            return;
        }
        self.asked.set(None);
        let here = Answer::Here(status, Zeroizing::new(content.to_vec()));
        if let Answer::None(Some(waker)) = self.answer.replace(here) {
            waker.wake();
        }
        (self.resume)();
    }
}

fn length(octets: &[u8]) -> Result<u32, StoreError> {
    u32::try_from(octets.len()).map_err(|_| StoreError::new("more than 4 GiB for a file"))
}

static CLIENT: Table<FileIoClientVtable> = Table::new(FileIoClientVtable {
    on_open_complete,
    on_read_complete,
    on_write_complete,
    destructors: Destructors::NONE,
});

/// # Safety
///
/// The host calls it with the client that it was given, before the file is closed.
unsafe extern "C" fn on_open_complete(this: *mut FileIoClient, status: FileStatus) {
    // SAFETY: the host upholds it; no octets are no pointer.
    unsafe { complete(this, Asked::Open, status, &[]) }
}

/// # Safety
///
/// As [`on_open_complete`]; `data` and its size are octets, or null.
unsafe extern "C" fn on_read_complete(
    this: *mut FileIoClient,
    status: FileStatus,
    data: *const u8,
    data_size: u32,
) {
    // SAFETY: the host upholds it.
    let content = unsafe { slice(data, data_size) };
    let status = if content.is_some() { status } else { FileStatus::ERROR };
    // SAFETY: the host upholds it.
    unsafe { complete(this, Asked::Read, status, content.unwrap_or_default()) }
}

/// # Safety
///
/// As [`on_open_complete`].
unsafe extern "C" fn on_write_complete(this: *mut FileIoClient, status: FileStatus) {
    // SAFETY: the host upholds it.
    unsafe { complete(this, Asked::Write, status, &[]) }
}

/// # Safety
///
/// `this` is an [`Open`] in an `Rc`, not yet closed, so that a [`File`] holds it.
unsafe fn complete(this: *mut FileIoClient, what: Asked, status: FileStatus, content: &[u8]) {
    crate::guard::or((), || {
        let open = this.cast_const().cast::<Open>();
        // SAFETY: the caller upholds it. Counted once more, it lives to the end of this call, though
        // the file be closed within.
        let open = unsafe {
            Rc::increment_strong_count(open);
            Rc::from_raw(open)
        };
        open.complete(what, status, content);
    });
}
