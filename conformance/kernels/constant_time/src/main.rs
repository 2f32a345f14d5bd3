//! Runs `cenc` with keys and samples that valgrind takes for unset. Whatever jumps or looks up memory
//! by them is reported then, and memcheck fails.
//!
//! ```text
//! valgrind --error-exitcode=9 constant-time KERNEL                   reports nothing
//! valgrind --error-exitcode=9 constant-time KERNEL --control NAME    must report what was done on purpose
//! ```

#![forbid(unsafe_code)]

mod cases;
mod controls;
mod secret;
#[cfg(feature = "texts")]
mod texts;

use std::process::ExitCode;

use cenc::Kernel;
use crabgrind::RunMode;

fn main() -> ExitCode {
    match run() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<String, String> {
    if crabgrind::run_mode() != RunMode::Valgrind {
        return Err("without valgrind there is nothing to see".into());
    }
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let name = arguments.first().ok_or("which kernel?")?;
    #[cfg(feature = "texts")]
    if name == "texts" {
        return Ok(texts::run());
    }
    let kernel = Kernel::all().find(|kernel| kernel.name() == name);
    let kernel = kernel.ok_or_else(|| format!("there is no kernel {name:?} in valgrind"))?;
    match &arguments[1..] {
        [] => cases::run(kernel).map(|count| format!("{kernel} ({}): {count} cases", backend())),
        [flag, control] if flag == "--control" => controls::run(kernel, control),
        _ => Err("KERNEL [--control NAME]".into()),
    }
}

/// What does AES for the kernel `portable`.
fn backend() -> &'static str {
    if cfg!(aes_backend = "soft") {
        "without AES instructions"
    } else if std::arch::is_x86_feature_detected!("aes") {
        "with AES instructions"
    } else {
        "AES instructions were asked for and are not there"
    }
}
