//! What a CDM that decodes would be told. One that only decrypts reads none of it.

use std::mem::offset_of;

use crate::EncryptionScheme;

/// `AudioDecoderConfig_2`
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct AudioDecoderConfig2 {
    pub codec: u32,
    pub channel_count: i32,
    pub bits_per_channel: i32,
    pub samples_per_second: i32,
    pub extra_data: *const u8,
    pub extra_data_size: u32,
    pub encryption_scheme: EncryptionScheme,
}

/// `VideoDecoderConfig_2`, of versions 10 and 11.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct VideoDecoderConfig2 {
    pub codec: u32,
    pub profile: u32,
    pub format: u32,
    pub padding: u32,
    pub coded_size: Size,
    pub extra_data: *const u8,
    pub extra_data_size: u32,
    pub encryption_scheme: EncryptionScheme,
}

/// `VideoDecoderConfig_3`, of version 12.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct VideoDecoderConfig3 {
    pub codec: u32,
    pub profile: u32,
    pub format: u32,
    pub color_space: ColorSpace,
    pub coded_size: Size,
    pub extra_data: *const u8,
    pub extra_data_size: u32,
    pub encryption_scheme: EncryptionScheme,
}

/// The size of a picture in pixels.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct Size {
    pub width: i32,
    pub height: i32,
}

/// What the colours of a picture mean.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct ColorSpace {
    pub primary_id: u8,
    pub transfer_id: u8,
    pub matrix_id: u8,
    pub range: u8,
}

const _: () = {
    assert!(size_of::<AudioDecoderConfig2>() == 32);
    assert!(offset_of!(AudioDecoderConfig2, channel_count) == 4);
    assert!(offset_of!(AudioDecoderConfig2, bits_per_channel) == 8);
    assert!(offset_of!(AudioDecoderConfig2, samples_per_second) == 12);
    assert!(offset_of!(AudioDecoderConfig2, extra_data) == 16);
    assert!(offset_of!(AudioDecoderConfig2, extra_data_size) == 24);
    assert!(offset_of!(AudioDecoderConfig2, encryption_scheme) == 28);
    assert!(size_of::<VideoDecoderConfig2>() == 40);
    assert!(offset_of!(VideoDecoderConfig2, format) == 8);
    assert!(offset_of!(VideoDecoderConfig2, coded_size) == 16);
    assert!(offset_of!(VideoDecoderConfig2, extra_data) == 24);
    assert!(offset_of!(VideoDecoderConfig2, extra_data_size) == 32);
    assert!(offset_of!(VideoDecoderConfig2, encryption_scheme) == 36);
    assert!(size_of::<VideoDecoderConfig3>() == 40);
    assert!(offset_of!(VideoDecoderConfig3, color_space) == 12);
    assert!(offset_of!(VideoDecoderConfig3, coded_size) == 16);
    assert!(offset_of!(VideoDecoderConfig3, extra_data) == 24);
    assert!(offset_of!(VideoDecoderConfig3, encryption_scheme) == 36);
    assert!(size_of::<Size>() == 8);
    assert!(offset_of!(Size, height) == 4);
    assert!(size_of::<ColorSpace>() == 4);
    assert!(offset_of!(ColorSpace, range) == 3);
};
