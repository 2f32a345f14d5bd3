//! The host's `FileIO`.

use std::{
    cell::{Cell, RefCell},
    ffi::c_char,
    rc::Rc,
};

use cdm_abi::{Destructors, FileIo, FileIoClient, FileIoVtable, FileStatus, Table, slice, text};

use crate::disk::{Disk, Shared};

#[repr(C)]
struct File {
    vtable: *const FileIoVtable,
    inner: Rc<Inner>,
}

struct Inner {
    client: *mut FileIoClient,
    disk: Rc<Shared>,
    name: RefCell<Option<String>>,
    is_closed: Cell<bool>,
}

/// A file for a CDM, which ends with its `Close`.
pub(crate) fn create(disk: &Disk, client: *mut FileIoClient) -> *mut FileIo {
    let inner = Inner {
        client,
        disk: Rc::clone(&disk.shared),
        name: RefCell::default(),
        is_closed: Cell::new(false),
    };
    Box::into_raw(Box::new(File { vtable: &FILE.slots, inner: Rc::new(inner) })).cast()
}

static FILE: Table<FileIoVtable> =
    Table::new(FileIoVtable { open, read, write, close, destructors: Destructors::NONE });

impl Inner {
    /// Tells the client, unless the file is closed by then.
    fn answer(self: &Rc<Self>, tell: impl Fn(*mut FileIoClient) + 'static) {
        let file = Rc::clone(self);
        self.disk.answer(move || {
            if !file.is_closed.get() {
                tell(file.client);
            }
        });
    }

    fn name(&self) -> String {
        self.name.borrow().clone().unwrap_or_default()
    }
}

// Of all methods:
//
// # Safety
//
// The CDM calls them on a file that it got from `CreateFileIO` and has not closed, with pointers that are
// null or point to as many octets as the length beside them says. Its client lives until the file is
// closed.

unsafe fn inner(this: *mut FileIo) -> Rc<Inner> {
    // SAFETY: the CDM upholds it.
    unsafe { Rc::clone(&(*this.cast::<File>()).inner) }
}

unsafe extern "C" fn open(this: *mut FileIo, name: *const c_char, len: u32) {
    // SAFETY: the CDM upholds it.
    let (file, name) = unsafe { (inner(this), text(name, len).unwrap_or_default().to_owned()) };
    let status = file.disk.open(&name);
    if status == FileStatus::SUCCESS {
        file.name.replace(Some(name));
    }
    // SAFETY: the file is not closed, so its client lives.
    file.answer(move |client| unsafe { ((*(*client).vtable).on_open_complete)(client, status) });
}

unsafe extern "C" fn read(this: *mut FileIo) {
    // SAFETY: the CDM upholds it.
    let file = unsafe { inner(this) };
    let (status, content) = file.disk.read(&file.name());
    file.answer(move |client| {
        let len = u32::try_from(content.len()).expect("files are small");
        let data = if content.is_empty() { std::ptr::null() } else { content.as_ptr() };
        // SAFETY: the file is not closed, so its client lives; the content lives longer than the call.
        unsafe { ((*(*client).vtable).on_read_complete)(client, status, data, len) };
    });
}

unsafe extern "C" fn write(this: *mut FileIo, data: *const u8, len: u32) {
    // SAFETY: the CDM upholds it.
    let (file, content) = unsafe { (inner(this), slice(data, len).unwrap_or_default()) };
    let Some(status) = file.disk.write(&file.name(), content) else { return };
    // SAFETY: the file is not closed, so its client lives.
    file.answer(move |client| unsafe { ((*(*client).vtable).on_write_complete)(client, status) });
}

unsafe extern "C" fn close(this: *mut FileIo) {
    // SAFETY: the CDM upholds it: `create` made this of a box.
    let file = unsafe { Box::from_raw(this.cast::<File>()) };
    file.inner.is_closed.set(true);
    if let Some(name) = file.inner.name.take() {
        file.inner.disk.close(&name);
    }
}
