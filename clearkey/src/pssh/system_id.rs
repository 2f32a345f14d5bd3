//! The names of key systems in `pssh` boxes.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Serialize, Serializer};

/// A key system: the UUID in the field `SystemID`.
///
/// `Display` and `Serialize` show it as a lower-case UUID.
///
/// ```
/// use clearkey::pssh::SystemId;
///
/// assert_eq!(SystemId::COMMON.to_string(), "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b");
/// assert_eq!(SystemId::COMMON.name(), Some("W3C common"));
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SystemId([u8; 16]);

/// The systems that files for the web carry, from the identifiers that DASH-IF registers
/// (<https://dashif.org/identifiers/content_protection/>).
impl SystemId {
    /// Adobe Primetime DRM.
    pub const ADOBE_PRIMETIME: Self = Self::uuid(0xf239e769_efa3_4850_9c16_a903c6932efb);
    /// ChinaDRM, of which Huawei WisePlay is one.
    pub const CHINADRM: Self = Self::uuid(0x3d5e6d35_9b9a_41e8_b843_dd3c6e72c42c);
    /// DASH-IF ClearKey. Manifests use it; in a `pssh` box only Android takes it for ClearKey.
    pub const CLEARKEY_DASHIF: Self = Self::uuid(0xe2719d58_a985_b3c9_781a_b030af78d30e);
    /// W3C common system, whose boxes list key ids and are meant for every system ("cenc"
    /// initialization data registry).
    pub const COMMON: Self = Self::uuid(0x1077efec_c0b2_4d02_ace3_3c1e52e2fb4b);
    /// Apple FairPlay.
    pub const FAIRPLAY: Self = Self::uuid(0x94ce86fb_07ff_4f43_adb8_93d2fa968ca2);
    /// Irdeto Content Protection.
    pub const IRDETO: Self = Self::uuid(0x80a6be7e_1448_4c37_9e70_d5aebe04c8d2);
    /// Marlin Adaptive Streaming Simple Profile.
    pub const MARLIN: Self = Self::uuid(0x5e629af5_38da_4063_8977_97ffbd9902d4);
    /// Nagra MediaAccess PRM.
    pub const NAGRA: Self = Self::uuid(0xadb41c24_2dbf_4a6d_958b_4457c0d27b95);
    /// Microsoft PlayReady.
    pub const PLAYREADY: Self = Self::uuid(0x9a04f079_9840_4286_ab92_e65be0885f95);
    /// Verimatrix VCAS.
    pub const VERIMATRIX: Self = Self::uuid(0x9a27dd82_fde2_4725_8cbc_4234aa06ec09);
    /// Viaccess-Orca DRM.
    pub const VIACCESS_ORCA: Self = Self::uuid(0xb4413586_c58c_ffb0_94a5_d4896c1af6c3);
    /// Synamedia VideoGuard, once of NDS and Cisco.
    pub const VIDEOGUARD: Self = Self::uuid(0xa68129d3_575b_4f1a_9cba_3223846cf7c3);
    /// Google Widevine.
    pub const WIDEVINE: Self = Self::uuid(0xedef8ba9_79d6_4ace_a3c8_27dcd51d21ed);

    const fn uuid(number: u128) -> Self {
        Self(number.to_be_bytes())
    }
}

impl SystemId {
    /// The system with this UUID, in network order.
    #[must_use]
    pub const fn new(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// The UUID, in network order.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// What people call the system, if it is one of the constants here.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(known, _)| *known == self).map(|(_, name)| *name)
    }
}

impl fmt::Display for SystemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in [0..4, 4..6, 6..8, 8..10, 10..16].into_iter().enumerate() {
            let dash = if index == 0 { "" } else { "-" };
            write!(f, "{dash}{}", HEXLOWER.encode_display(&self.0[range]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for SystemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SystemId({self})")
    }
}

impl Serialize for SystemId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

const NAMES: [(SystemId, &str); 13] = [
    (SystemId::ADOBE_PRIMETIME, "Adobe Primetime"),
    (SystemId::CHINADRM, "ChinaDRM"),
    (SystemId::CLEARKEY_DASHIF, "DASH-IF ClearKey"),
    (SystemId::COMMON, "W3C common"),
    (SystemId::FAIRPLAY, "FairPlay"),
    (SystemId::IRDETO, "Irdeto"),
    (SystemId::MARLIN, "Marlin"),
    (SystemId::NAGRA, "Nagra MediaAccess"),
    (SystemId::PLAYREADY, "PlayReady"),
    (SystemId::VERIMATRIX, "Verimatrix"),
    (SystemId::VIACCESS_ORCA, "Viaccess-Orca"),
    (SystemId::VIDEOGUARD, "VideoGuard"),
    (SystemId::WIDEVINE, "Widevine"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_shows_as_its_uuid() {
        let shown = [
            (SystemId::CLEARKEY_DASHIF, "e2719d58-a985-b3c9-781a-b030af78d30e"),
            (SystemId::WIDEVINE, "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"),
            (SystemId::new([0; 16]), "00000000-0000-0000-0000-000000000000"),
        ];
        for (system, uuid) in shown {
            assert_eq!(system.to_string(), uuid);
            assert_eq!(format!("{system:?}"), format!("SystemId({uuid})"));
            assert_eq!(serde_json::to_string(&system).unwrap(), format!("\"{uuid}\""));
        }
    }

    #[test]
    fn every_name_is_found_and_stands_once() {
        for (system, name) in NAMES {
            assert_eq!(system.name(), Some(name));
        }
        assert_eq!(SystemId::new([0; 16]).name(), None);
    }
}
