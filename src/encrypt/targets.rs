//! Where each input goes, and what must not be where.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use super::{args::EncryptArgs, manifests::Manifests, urls::canonical};
use crate::{
    args::{is_standard, name},
    unfinished::folder,
};

/// An input and its output.
pub(super) struct Target {
    pub(super) input: PathBuf,
    /// How messages call the input.
    pub(super) source: String,
    /// How errors of one among several inputs call it.
    pub(super) blame: Option<String>,
    pub(super) output: PathBuf,
}

/// All of them.
pub(super) struct Targets {
    pub(super) files: Vec<Target>,
    /// The folder for the outputs, which is not there yet.
    pub(super) new_folder: Option<PathBuf>,
}

impl Targets {
    pub(super) fn of(args: &EncryptArgs, manifests: &Manifests) -> anyhow::Result<Self> {
        let target = |input: &PathBuf, output: PathBuf| Target {
            input: input.clone(),
            source: name(input, "stdin"),
            blame: (args.inputs.len() > 1).then(|| name(input, "stdin")),
            output,
        };
        let out = &args.output;
        if let ([input], true) = (args.inputs.as_slice(), manifests.are_none()) {
            return Ok(Self { files: vec![target(input, out.clone())], new_folder: None });
        }
        if args.inputs.iter().chain([out]).any(|path| is_standard(path)) {
            bail!("stdin and stdout are for one input, and have no manifest");
        }
        let is_folder = args.inputs.len() > 1 || out.is_dir();
        if !is_folder {
            if fs::metadata(out).is_ok_and(|metadata| !metadata.is_file()) {
                bail!("{}: not a file, which a manifest could lead to", out.display());
            }
            let files = vec![target(&args.inputs[0], out.clone())];
            return Self { files, new_folder: None }.checked(args, manifests);
        }
        if fs::metadata(out).is_ok_and(|metadata| !metadata.is_dir()) {
            bail!("{}: not a folder, which several inputs want", out.display());
        }
        let files = args.inputs.iter().map(|input| {
            let name =
                input.file_name().with_context(|| format!("{}: no file", input.display()))?;
            Ok(target(input, out.join(name)))
        });
        let files = files.collect::<anyhow::Result<_>>()?;
        let new_folder = (!out.exists()).then(|| out.clone());
        Self { files, new_folder }.checked(args, manifests)
    }

    /// Refuses files that would take each other's place.
    fn checked(self, args: &EncryptArgs, manifests: &Manifests) -> anyhow::Result<Self> {
        let inputs = self.files.iter().map(|target| ("is an input", target.input.clone()));
        let outputs =
            self.files.iter().map(|target| ("is the output for it", target.output.clone()));
        let secrets = [&args.license_out, &args.keys_out].into_iter().flatten().cloned();
        let outputs_and_more = outputs
            .chain(secrets.map(|path| ("has keys", path)))
            .chain(manifests.files(&self.files).into_iter().map(|path| ("is a manifest", path)));
        let mut places: BTreeMap<PathBuf, &str> =
            inputs.map(|(what, path)| (canonical(&path), what)).collect();
        for (_, path) in outputs_and_more.clone() {
            if let Some(what) = places.insert(canonical(&path), "is an output already") {
                bail!("{}: would be written, and {what}", path.display());
            }
        }
        for (_, path) in outputs_and_more {
            let folder = folder(&path);
            let is_new = self.new_folder.as_deref().map(canonical) == Some(canonical(folder));
            if !is_new && !folder.is_dir() {
                bail!("{}: there is no folder {}", path.display(), folder.display());
            }
        }
        self.has_place(folder(&args.output))
    }

    /// Whether a new folder has one to be in.
    fn has_place(self, parent: &Path) -> anyhow::Result<Self> {
        if self.new_folder.is_some() && !parent.is_dir() {
            bail!("there is no folder {}", parent.display());
        }
        Ok(self)
    }
}
