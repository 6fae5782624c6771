//! The child's side: limits on itself, then one PDF from standard input to standard output.

use std::{
    io::{self, Read, Write},
    process::ExitCode,
};

use rustix::process::{Resource, Rlimit, setrlimit};

use super::{rewrite::rewrite, verdict::Verdict};
use crate::pdf::Rewrite;

/// What the parent asks for.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// The file is encrypted, and is to be opened; else it is damaged, and is to be mended.
    pub decrypts: bool,
    pub max_input_bytes: u64,
    pub max_output_bytes: u64,
    pub max_memory_bytes: u64,
    pub max_cpu_secs: u64,
}

/// Reads a PDF, writes a plain one. Nothing is written before all is known to be well.
pub fn serve(order: &Order) -> ExitCode {
    match carry_out(order) {
        Ok(()) => ExitCode::SUCCESS,
        Err(verdict) => verdict.exit_code().into(),
    }
}

fn carry_out(order: &Order) -> Result<(), Verdict> {
    limit_itself(order).map_err(|_| Verdict::Failed)?;
    let mut pdf = Vec::new();
    let most = order.max_input_bytes.saturating_add(1);
    let read = io::stdin().lock().take(most).read_to_end(&mut pdf);
    read.map_err(|error| match error.kind() {
        io::ErrorKind::OutOfMemory => Verdict::TooLong,
        _ => Verdict::Failed,
    })?;
    if pdf.len() as u64 > order.max_input_bytes {
        return Err(Verdict::TooLong);
    }
    let wanted = if order.decrypts {
        Rewrite::Decrypt
    } else {
        Rewrite::Mend
    };
    let plain = rewrite(&pdf, wanted, order.max_output_bytes)?;
    let mut out = io::stdout().lock();
    let written = out.write_all(&plain).and_then(|()| out.flush());
    written.map_err(|_| Verdict::Failed)
}

/// It may not write files either: it has no business with any.
fn limit_itself(order: &Order) -> io::Result<()> {
    let limits = [
        (Resource::As, order.max_memory_bytes),
        (Resource::Cpu, order.max_cpu_secs),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
    ];
    for (resource, most) in limits {
        let limit = Rlimit {
            current: Some(most),
            // The first signal for too much processor time says what it is for; one second later
            // comes one that does not.
            maximum: Some(most.saturating_add(u64::from(resource == Resource::Cpu))),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}
