//! Objects as the Itanium C++ ABI lays them out.

use std::ffi::c_void;

/// A C++ object with virtual methods, seen from outside: the pointer to its class's table. What comes
/// behind it is the business of who made it.
#[derive(Debug)]
#[repr(C)]
pub struct Object<V: 'static> {
    /// The first slot of the table.
    pub vtable: *const V,
}

/// The table of a class, with the two words that stand before its first slot.
#[derive(Debug)]
#[repr(C)]
pub struct Table<V> {
    offset_to_top: isize,
    type_info: *const c_void,
    /// What an [`Object::vtable`] points to.
    pub slots: V,
}

// SAFETY: a table is never written, and its pointers are functions and a null.
unsafe impl<V: Sync> Sync for Table<V> {}

impl<V> Table<V> {
    /// The table of a class without type information: neither browser asks for any.
    #[must_use]
    pub const fn new(slots: V) -> Self {
        Self { offset_to_top: 0, type_info: std::ptr::null(), slots }
    }
}

/// The complete and the deleting destructor, behind the last method. They are protected in C++, so
/// nobody calls them.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Destructors {
    complete: extern "C" fn(*mut c_void),
    deleting: extern "C" fn(*mut c_void),
}

impl Destructors {
    /// Two that do nothing.
    pub const NONE: Self = Self { complete: nothing, deleting: nothing };
}

extern "C" fn nothing(_: *mut c_void) {}

const _: () = {
    assert!(size_of::<Object<Destructors>>() == 8);
    assert!(size_of::<Destructors>() == 16);
    assert!(std::mem::offset_of!(Table<Destructors>, slots) == 16);
};
