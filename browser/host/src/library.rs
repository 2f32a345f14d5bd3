//! A library CDM in this process.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    fs::File,
    os::fd::IntoRawFd,
    path::{Path, PathBuf},
    ptr::NonNull,
};

use cdm_abi::{
    CreateCdmInstance, DeinitializeCdmModule, GetCdmVersion, HostFile, InitializeCdmModule,
    VerifyCdmHost,
};
use thiserror::Error as ThisError;

use crate::{Cdm, Host, host::host_of};

/// What a library exports.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct Exports {
    pub initialize_cdm_module: InitializeCdmModule,
    pub create_cdm_instance: CreateCdmInstance,
    /// Not every host asks for these.
    pub deinitialize_cdm_module: Option<DeinitializeCdmModule>,
    pub get_cdm_version: Option<GetCdmVersion>,
    pub verify_cdm_host: Option<VerifyCdmHost>,
}

/// A library CDM. It stays loaded to the end of the process, since its instances may outlive this.
#[derive(Debug)]
pub struct Library {
    exports: Exports,
}

/// Why a library is no CDM.
#[derive(Debug, ThisError)]
#[error("{path}: {reason}")]
pub struct LibraryError {
    path: PathBuf,
    reason: libloading::Error,
}

impl Library {
    /// Loads a library and initializes it.
    ///
    /// # Errors
    ///
    /// If it cannot be loaded, or lacks `InitializeCdmModule_4` or `CreateCdmInstance`.
    ///
    /// # Safety
    ///
    /// The library keeps to the interface, and nothing that it does when it is loaded is amiss here.
    pub unsafe fn load(path: &Path) -> Result<Self, LibraryError> {
        // SAFETY: the caller upholds it.
        let exports = unsafe { Exports::of(path) };
        let failed = |reason| LibraryError { path: path.to_owned(), reason };
        // SAFETY: the caller upholds it.
        Ok(unsafe { Self::linked(exports.map_err(failed)?) })
    }

    /// A library that is in this process already.
    ///
    /// # Safety
    ///
    /// The functions are such a library's.
    #[must_use]
    pub unsafe fn linked(exports: Exports) -> Self {
        // SAFETY: the caller upholds it.
        unsafe { (exports.initialize_cdm_module)() };
        Self { exports }
    }

    /// What it exports.
    #[must_use]
    pub fn exports(&self) -> &Exports {
        &self.exports
    }

    /// The version that it says it is.
    #[must_use]
    pub fn version(&self) -> Option<&'static CStr> {
        let get_cdm_version = self.exports.get_cdm_version?;
        // SAFETY: a static text, as the interface wants.
        Some(unsafe { CStr::from_ptr(get_cdm_version()) })
    }

    /// Shows it files of the host's, as Firefox does before it makes the first instance. Yields what the
    /// library thinks of them; true if it does not want to see any.
    ///
    /// # Errors
    ///
    /// If a file cannot be opened.
    pub fn verify(&self, files: &[&Path]) -> std::io::Result<bool> {
        let Some(verify_cdm_host) = self.exports.verify_cdm_host else { return Ok(true) };
        let opened = files.iter().map(|path| {
            let name = CString::new(path.as_os_str().as_encoded_bytes())?;
            Ok((name, File::open(path)?.into_raw_fd()))
        });
        let opened = opened.collect::<std::io::Result<Vec<_>>>()?;
        let files: Vec<_> = opened
            .iter()
            .map(|(name, file)| HostFile { file_path: name.as_ptr(), file: *file, sig_file: -1 })
            .collect();
        // SAFETY: so many files, whose descriptors become the library's; the names live on.
        Ok(unsafe { verify_cdm_host(files.as_ptr(), u32::try_from(files.len()).unwrap_or(0)) })
    }

    /// Makes an instance that calls `host`; `None` if the library refuses the version or the key system.
    #[must_use]
    pub fn create(&self, interface_version: c_int, key_system: &str, host: &Host) -> Option<Cdm> {
        let mut user = Offer { version: interface_version, host: host.object() };
        let len = u32::try_from(key_system.len()).ok()?;
        let key_system: *const c_char = key_system.as_ptr().cast();
        let user: *mut Offer = &raw mut user;
        // SAFETY: the text lives during the call, and so does what `host_of` gets.
        let object = unsafe {
            let get_cdm_host = Some(host_of as cdm_abi::GetCdmHostFunc);
            (self.exports.create_cdm_instance)(
                interface_version,
                key_system,
                len,
                get_cdm_host,
                user.cast::<c_void>(),
            )
        };
        // SAFETY: an object of the version that was asked for, whose methods are the same in all of them.
        NonNull::new(object).map(|object| unsafe { Cdm::new(object.cast(), host) })
    }
}

/// What `GetCdmHostFunc` is told.
pub(crate) struct Offer {
    pub(crate) version: c_int,
    pub(crate) host: *mut cdm_abi::Host,
}

impl Exports {
    /// # Safety
    ///
    /// As [`Library::load`].
    unsafe fn of(path: &Path) -> Result<Self, libloading::Error> {
        // SAFETY: the caller upholds that loading is harmless, and that the symbols are what their names
        // say. The library is never unloaded.
        unsafe {
            let library = libloading::Library::new(path)?;
            let exports = Self {
                initialize_cdm_module: *library.get(b"InitializeCdmModule_4")?,
                create_cdm_instance: *library.get(b"CreateCdmInstance")?,
                deinitialize_cdm_module: library.get(b"DeinitializeCdmModule").ok().map(|it| *it),
                get_cdm_version: library.get(b"GetCdmVersion").ok().map(|it| *it),
                verify_cdm_host: library.get(b"VerifyCdmHost_0").ok().map(|it| *it),
            };
            std::mem::forget(library);
            Ok(exports)
        }
    }
}
