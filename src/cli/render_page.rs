use std::io;

use super::{CommandError, Invocation, error::Outcome, renderer::PageLimits};
use crate::proof::{self, Size};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// In pixels
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    width: u16,
    /// In pixels
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    height: u16,
    #[command(flatten)]
    limits: PageLimits,
}

/// A PDF comes in, its first page goes out as PNG.
pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let unlimited = |error: io::Error| {
        CommandError::failed("cannot limit what a page may take").caused_by(error.to_string())
    };
    limit(&arguments.limits).map_err(unlimited)?;
    let mut pdf = Vec::new();
    let read = invocation.input.read_to_end(&mut pdf);
    read.map_err(|error| {
        CommandError::failed("cannot read standard input").caused_by(error.to_string())
    })?;
    let size = Size {
        width: arguments.width,
        height: arguments.height,
    };
    let rendered = proof::render(pdf, size).map_err(CommandError::failed)?;
    let png = rendered.picture.png().map_err(CommandError::failed)?;
    for lack in rendered.lacks {
        invocation.output.note(lack.as_str());
    }
    invocation.output.bytes(&png)?;
    Ok(Outcome::Done)
}

/// From here on this process has what a page may take, and no more.
#[cfg(target_os = "linux")]
fn limit(limits: &PageLimits) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let seconds = u64::from(limits.processor_secs);
    let bytes = u64::from(limits.memory_mib) << 20;
    for (resource, soft, hard) in [
        (Resource::As, bytes, bytes),
        (Resource::Cpu, seconds, seconds + 1),
        (Resource::Core, 0, 0),
    ] {
        let limit = Rlimit {
            current: Some(soft),
            maximum: Some(hard),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn limit(_: &PageLimits) -> io::Result<()> {
    Ok(())
}
