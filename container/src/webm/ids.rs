//! The elements that are read here, by their ids (RFC 8794 and RFC 9559).

/// Gives each id its name, for paths.
macro_rules! ids {
    ($($constant:ident = $id:literal, $name:literal;)*) => {
        $(pub(crate) const $constant: u32 = $id;)*

        /// The name of an element in a path; of one that is not read here, its id.
        pub(crate) fn name(id: u32) -> String {
            match id {
                $($constant => $name.to_owned(),)*
                _ => format!("{id:X}"),
            }
        }
    };
}

ids! {
    EBML = 0x1A45_DFA3, "EBML";
    EBML_READ_VERSION = 0x42F7, "EBMLReadVersion";
    EBML_MAX_ID_LENGTH = 0x42F2, "EBMLMaxIDLength";
    EBML_MAX_SIZE_LENGTH = 0x42F3, "EBMLMaxSizeLength";
    DOC_TYPE = 0x4282, "DocType";
    DOC_TYPE_VERSION = 0x4287, "DocTypeVersion";
    VOID = 0xEC, "Void";
    CRC_32 = 0xBF, "CRC-32";
    SEGMENT = 0x1853_8067, "Segment";
    SEEK_HEAD = 0x114D_9B74, "SeekHead";
    SEEK = 0x4DBB, "Seek";
    SEEK_POSITION = 0x53AC, "SeekPosition";
    INFO = 0x1549_A966, "Info";
    TIMESTAMP_SCALE = 0x2A_D7B1, "TimestampScale";
    DURATION = 0x4489, "Duration";
    TRACKS = 0x1654_AE6B, "Tracks";
    TRACK_ENTRY = 0xAE, "TrackEntry";
    TRACK_NUMBER = 0xD7, "TrackNumber";
    TRACK_TYPE = 0x83, "TrackType";
    CODEC_ID = 0x86, "CodecID";
    CODEC_PRIVATE = 0x63A2, "CodecPrivate";
    LANGUAGE = 0x22_B59C, "Language";
    LANGUAGE_BCP47 = 0x22_B59D, "LanguageBCP47";
    DEFAULT_DURATION = 0x23_E383, "DefaultDuration";
    VIDEO = 0xE0, "Video";
    PIXEL_WIDTH = 0xB0, "PixelWidth";
    PIXEL_HEIGHT = 0xBA, "PixelHeight";
    AUDIO = 0xE1, "Audio";
    SAMPLING_FREQUENCY = 0xB5, "SamplingFrequency";
    OUTPUT_SAMPLING_FREQUENCY = 0x78B5, "OutputSamplingFrequency";
    CHANNELS = 0x9F, "Channels";
    CONTENT_ENCODINGS = 0x6D80, "ContentEncodings";
    CONTENT_ENCODING = 0x6240, "ContentEncoding";
    CONTENT_ENCODING_ORDER = 0x5031, "ContentEncodingOrder";
    CONTENT_ENCODING_SCOPE = 0x5032, "ContentEncodingScope";
    CONTENT_ENCODING_TYPE = 0x5033, "ContentEncodingType";
    CONTENT_ENCRYPTION = 0x5035, "ContentEncryption";
    CONTENT_ENC_ALGO = 0x47E1, "ContentEncAlgo";
    CONTENT_ENC_KEY_ID = 0x47E2, "ContentEncKeyID";
    CONTENT_ENC_AES_SETTINGS = 0x47E7, "ContentEncAESSettings";
    AES_SETTINGS_CIPHER_MODE = 0x47E8, "AESSettingsCipherMode";
    CLUSTER = 0x1F43_B675, "Cluster";
    TIMESTAMP = 0xE7, "Timestamp";
    POSITION = 0xA7, "Position";
    PREV_SIZE = 0xAB, "PrevSize";
    SIMPLE_BLOCK = 0xA3, "SimpleBlock";
    ENCRYPTED_BLOCK = 0xAF, "EncryptedBlock";
    BLOCK_GROUP = 0xA0, "BlockGroup";
    BLOCK = 0xA1, "Block";
    REFERENCE_BLOCK = 0xFB, "ReferenceBlock";
    BLOCK_ADDITIONS = 0x75A1, "BlockAdditions";
    CUES = 0x1C53_BB6B, "Cues";
    CUE_POINT = 0xBB, "CuePoint";
    CUE_TIME = 0xB3, "CueTime";
    CUE_TRACK_POSITIONS = 0xB7, "CueTrackPositions";
    CUE_CLUSTER_POSITION = 0xF1, "CueClusterPosition";
    CUE_RELATIVE_POSITION = 0xF0, "CueRelativePosition";
    CHAPTERS = 0x1043_A770, "Chapters";
    ATTACHMENTS = 0x1941_A469, "Attachments";
    TAGS = 0x1254_C367, "Tags";
}

/// Whether an element stands at the top of a file, so that a segment of unknown size ends before it.
pub(crate) fn ends_segment(id: u32) -> bool {
    matches!(id, EBML | SEGMENT)
}

/// Whether an element cannot be inside of a cluster, so that one of unknown size ends before it.
pub(crate) fn ends_cluster(id: u32) -> bool {
    let is_of_segment =
        matches!(id, SEEK_HEAD | INFO | TRACKS | CLUSTER | CUES | CHAPTERS | ATTACHMENTS | TAGS);
    is_of_segment || ends_segment(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_has_its_name_or_its_id() {
        assert_eq!(name(SIMPLE_BLOCK), "SimpleBlock");
        assert_eq!(name(0x7373), "7373");
    }
}
