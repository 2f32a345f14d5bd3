//! The interface between a browser (the *host*) and a library CDM: Chromium's
//! `cdm::ContentDecryptionModule`, versions 10, 11 and 12, which Firefox's GMP loads too. Linux, x86-64,
//! Itanium C++ ABI.
//!
//! There is no code here but for reading what a pointer and a length say. The names are the interface's
//! own, in Rust's spelling.
//!
//! # Rules of the interface
//!
//! - An object is a pointer to the table of its class ([`Object`]); methods get it first. Each class ends
//!   with two slots for its destructor, which neither side calls: objects have `Destroy` or `Close`.
//! - All calls of one instance come on one thread, and either side may call back within a call.
//! - What a pointer points to is valid during the call only. Text is a pointer and a length, without a
//!   NUL; no octets may be a null pointer.
//! - No panic and no exception may leave a method.

#![allow(unsafe_code, reason = "pointers of the other side become slices here")]

mod bytes;
mod cdm;
mod decoder;
mod file_io;
mod host;
mod media;
mod module;
mod object;
mod values;

pub use bytes::{slice, text};
pub use cdm::{CdmVtable, ContentDecryptionModule, PlatformChallengeResponse, Policy};
pub use decoder::{
    AudioDecoderConfig2, ColorSpace, Size, VideoDecoderConfig2, VideoDecoderConfig3,
};
pub use file_io::{FileIo, FileIoClient, FileIoClientVtable, FileIoVtable};
pub use host::{Host, Host11Vtable, HostVtable, KeyInformation, NewerHostVtable};
pub use media::{
    Buffer, BufferVtable, DecryptedBlock, DecryptedBlockVtable, InputBuffer2, Pattern,
    SubsampleEntry,
};
pub use module::{
    CreateCdmInstance, DeinitializeCdmModule, GetCdmHostFunc, GetCdmVersion, HostFile,
    INTERFACE_VERSIONS, InitializeCdmModule, VerifyCdmHost,
};
pub use object::{Destructors, Object, Table};
pub use values::{
    EncryptionScheme, Exception, FileStatus, HdcpVersion, InitDataType, KeyStatus, MessageType,
    MetricName, QueryResult, SessionType, Status, StreamType,
};
