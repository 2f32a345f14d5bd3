//! The interface's enumerations. Each is a number that the other side may choose freely, so none is a
//! Rust `enum`.

macro_rules! values {
    ($($(#[$about:meta])* $name:ident { $($value:ident = $number:literal $what:literal),+ $(,)? })+) => {
        $(
            $(#[$about])*
            #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
            #[repr(transparent)]
            pub struct $name(pub u32);

            impl $name {
                $(#[doc = $what] pub const $value: Self = Self($number);)+
            }
        )+
    };
}

values! {
    /// What came of decrypting or decoding.
    Status {
        SUCCESS = 0 "It worked.",
        NEED_MORE_DATA = 1 "Nothing came out yet.",
        NO_KEY = 2 "The key is not there.",
        INITIALIZATION_ERROR = 3 "The decoder could not be initialized.",
        DECRYPT_ERROR = 4 "It cannot be decrypted.",
        DECODE_ERROR = 5 "It cannot be decoded.",
        DEFERRED_INITIALIZATION = 6 "The decoder will be ready later.",
    }

    /// With which exception a promise is rejected.
    Exception {
        TYPE_ERROR = 0 "`TypeError`",
        NOT_SUPPORTED_ERROR = 1 "`NotSupportedError`",
        INVALID_STATE_ERROR = 2 "`InvalidStateError`",
        QUOTA_EXCEEDED_ERROR = 3 "`QuotaExceededError`",
    }

    /// How a buffer is encrypted.
    EncryptionScheme {
        UNENCRYPTED = 0 "Not at all.",
        CENC = 1 "AES-CTR, the scheme `cenc`.",
        CBCS = 2 "AES-CBC with a pattern, the scheme `cbcs`.",
    }

    /// What kind of session.
    SessionType {
        TEMPORARY = 0 "`temporary`",
        PERSISTENT_LICENSE = 1 "`persistent-license`",
    }

    /// The format of initialization data.
    InitDataType {
        CENC = 0 "`cenc`: `pssh` boxes.",
        KEY_IDS = 1 "`keyids`: JSON.",
        WEBM = 2 "`webm`: a key id.",
    }

    /// What a message is.
    MessageType {
        LICENSE_REQUEST = 0 "`license-request`",
        LICENSE_RENEWAL = 1 "`license-renewal`",
        LICENSE_RELEASE = 2 "`license-release`",
        INDIVIDUALIZATION_REQUEST = 3 "`individualization-request`",
    }

    /// What a key is good for.
    KeyStatus {
        USABLE = 0 "`usable`",
        INTERNAL_ERROR = 1 "`internal-error`",
        EXPIRED = 2 "`expired`",
        OUTPUT_RESTRICTED = 3 "`output-restricted`",
        OUTPUT_DOWNSCALED = 4 "`output-downscaled`",
        STATUS_PENDING = 5 "`status-pending`",
        RELEASED = 6 "`released`",
        USABLE_IN_FUTURE = 7 "`usable-in-future`; since version 12.",
    }

    /// A version of HDCP.
    HdcpVersion {
        NONE = 0 "None.",
        V1_0 = 1 "1.0",
        V1_1 = 2 "1.1",
        V1_2 = 3 "1.2",
        V1_3 = 4 "1.3",
        V1_4 = 5 "1.4",
        V2_0 = 6 "2.0",
        V2_1 = 7 "2.1",
        V2_2 = 8 "2.2",
        V2_3 = 9 "2.3",
    }

    /// What came of an operation on a file.
    FileStatus {
        SUCCESS = 0 "It worked.",
        IN_USE = 1 "Somebody else has the file open.",
        ERROR = 2 "It did not work.",
    }

    /// Audio or video.
    StreamType {
        AUDIO = 0 "Audio.",
        VIDEO = 1 "Video.",
    }

    /// Whether a query was answered.
    QueryResult {
        SUCCEEDED = 0 "It was.",
        FAILED = 1 "It was not.",
    }

    /// What is measured.
    MetricName {
        SDK_VERSION = 0 "The version of the CDM's SDK.",
        CERTIFICATE_SERIAL_NUMBER = 1 "The serial number of a certificate.",
        DECODER_BYPASS_BLOCK_COUNT = 2 "Blocks that the decoder passed over.",
    }
}
