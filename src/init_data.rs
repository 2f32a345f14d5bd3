//! `clearkey init-data`: initialization data, built and explained.

use std::{fmt::Write as _, path::Path};

use anyhow::Context;
use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use clearkey::{
    InitData, InitDataType, limits,
    pssh::{self, PsshBox},
};

use crate::{
    Outcome,
    args::{ExplainArgs, InitDataArgs, InitDataCommand},
    input::read_small,
    print,
};

/// Builds initialization data, or says what they are.
pub(crate) fn run(args: &InitDataArgs) -> anyhow::Result<Outcome> {
    match &args.command {
        InitDataCommand::Build(args) => {
            let init_data = InitData::new(args.init_data_type.into(), args.kids.clone())?;
            match args.raw {
                true => print(init_data.as_bytes()),
                false => print((ENCODER.encode(init_data.as_bytes()) + "\n").as_bytes()),
            }
        }
        InitDataCommand::Explain(args) => explain(args),
    }
}

fn explain(args: &ExplainArgs) -> anyhow::Result<Outcome> {
    let init_data_type = args.init_data_type.into();
    let bytes = match &*args.data {
        "-" => read_small(Path::new("-"), limits::INIT_DATA)?,
        text => from_text(init_data_type, text)?.into(),
    };
    let mut text = String::new();
    if init_data_type == InitDataType::Cenc {
        for found in pssh::boxes(&bytes) {
            explain_box(&found?, &mut text)?;
        }
    }
    // What is said before this is true even if ClearKey can use nothing of it.
    let init_data = InitData::parse(init_data_type.as_str(), &bytes);
    match &init_data {
        Ok(init_data) => {
            writeln!(text, "{init_data_type}: {} octets", bytes.len())?;
            for kid in init_data.kids() {
                writeln!(text, "  KID {kid}")?;
            }
        }
        Err(error) => writeln!(text, "{init_data_type}: {}: {error}", error.exception())?,
    }
    print(text.as_bytes())?;
    init_data?;
    Ok(Outcome::Done)
}

fn explain_box(found: &PsshBox, text: &mut String) -> anyhow::Result<()> {
    let Some(pssh) = found.pssh() else {
        return Ok(writeln!(text, "pssh: of version {}, which is not known", found.version())?);
    };
    write!(text, "pssh: {}", pssh.system_id())?;
    if let Some(name) = pssh.system_id().name() {
        write!(text, " ({name})")?;
    }
    writeln!(text, ", version {}, {} bytes of data", pssh.version(), pssh.data().len())?;
    for kid in pssh.kids() {
        writeln!(text, "  KID {kid}")?;
    }
    Ok(())
}

/// Initialization data as people pass them around: base64, either alphabet, padded or not; a JSON list
/// also as it is.
pub(crate) fn from_text(init_data_type: InitDataType, text: &str) -> anyhow::Result<Vec<u8>> {
    if init_data_type == InitDataType::Keyids && text.trim_start().starts_with('{') {
        return Ok(text.as_bytes().to_vec());
    }
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let is_url_safe = text.contains(['-', '_']);
    let alphabet = if is_url_safe { &URL_SAFE } else { &STANDARD };
    let decoded = GeneralPurpose::new(alphabet, config).decode(text.trim());
    decoded.with_context(|| format!("\"{}\" is no base64", clearkey::quote(text)))
}

const ENCODER: GeneralPurpose = base64::engine::general_purpose::STANDARD;
