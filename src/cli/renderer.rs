//! Pages become pictures in a process of their own: a page that makes the renderer abort, loop or
//! take all memory ends that process, and nothing else.

use std::{
    env,
    io::{self, Read, Write},
    os::unix::process::ExitStatusExt,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    thread,
};

use crate::proof::{self, Lack, Picture, Rendered, Size};

/// What the process may take for one page. On Linux the system sees to it; elsewhere nobody does.
#[derive(clap::Args)]
pub(super) struct PageLimits {
    /// Of address space
    #[arg(long, value_name = "N", default_value_t = Self::MEMORY_MIB)]
    pub(super) memory_mib: u32,
    /// Of processor time
    #[arg(long, value_name = "N", default_value_t = Self::PROCESSOR_SECS)]
    pub(super) processor_secs: u32,
}

impl PageLimits {
    const MEMORY_MIB: u32 = 2 << 10;
    const PROCESSOR_SECS: u32 = 20;
}

/// How pages become pictures.
#[derive(Debug, Clone, Copy)]
pub(super) enum Renderer {
    /// For each page this program once more, as `kuori render-page`.
    OwnProcess,
    /// In this process: for pages of our own making.
    #[cfg(test)]
    Here,
}

/// Why a page has no picture; the others may have one.
#[derive(Debug, thiserror::Error)]
pub(super) enum Undrawn {
    #[error("no process could be started for it")]
    Start(#[source] io::Error),
    #[error("its picture could not be taken from the process that drew it")]
    Talk(#[source] io::Error),
    #[error(
        "drawing it takes more than {} seconds of processor time",
        PageLimits::PROCESSOR_SECS
    )]
    Slow,
    #[error("the renderer gave it up, or drawing it takes more than {} GiB of memory", PageLimits::MEMORY_MIB >> 10)]
    GivenUp,
    #[error("the renderer fails on it")]
    Failed,
    /// In the words of the process, which are ours.
    #[error("{0}")]
    Told(String),
    #[error(transparent)]
    Proof(#[from] proof::Error),
}

impl Renderer {
    /// Draws the one page of a PDF.
    pub(super) fn draw(self, pdf: &[u8], size: Size) -> Result<Rendered, Undrawn> {
        match self {
            Self::OwnProcess => draw_apart(pdf, size),
            #[cfg(test)]
            Self::Here => Ok(proof::render(pdf.to_vec(), size)?),
        }
    }
}

fn draw_apart(pdf: &[u8], size: Size) -> Result<Rendered, Undrawn> {
    let mut child = start(size).map_err(Undrawn::Start)?;
    let said = listen(&mut child, pdf, size);
    if said.is_err() {
        // It may have ended by itself; it is waited for below either way.
        let _ = child.kill();
    }
    let status = child.wait().map_err(Undrawn::Talk)?;
    let (png, told) = said.map_err(Undrawn::Talk)?;
    ended(status, &told)?;
    Ok(Rendered {
        picture: Picture::read(&png, size)?,
        lacks: lacks(&told),
    })
}

fn start(size: Size) -> io::Result<Child> {
    Command::new(env::current_exe()?)
        .args(["render-page", "--width", &size.width.to_string()])
        .args(["--height", &size.height.to_string()])
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// What stands on the process's standard output and standard error, each as far as it may.
fn listen(child: &mut Child, pdf: &[u8], size: Size) -> io::Result<(Vec<u8>, String)> {
    /// Of what it says beside the picture.
    const MOST_TOLD: u64 = 64 << 10;
    let (input, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    // A PNG is hardly larger than its pixels; what is goes past the end, and is no picture.
    let most = size.pixels().saturating_mul(4).saturating_add(1 << 16);
    thread::scope(|scope| {
        scope.spawn(move || feed(input, pdf));
        let told = scope.spawn(move || read_up_to(err, MOST_TOLD));
        let png = read_up_to(out, most)?;
        let told = told.join().unwrap_or_else(|_| Ok(Vec::new()))?;
        Ok((png, String::from_utf8_lossy(&told).into_owned()))
    })
}

/// A process that has ended early is told of by how it ended, not by this.
fn feed(input: Option<ChildStdin>, pdf: &[u8]) {
    if let Some(mut input) = input {
        let _ = input.write_all(pdf);
    }
}

/// What comes after that many bytes is read no more: whoever writes it is stopped by that.
fn read_up_to(from: Option<impl Read>, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn ended(status: ExitStatus, told: &str) -> Result<(), Undrawn> {
    /// `SIGXCPU`: the limit on processor time.
    const TIME_IS_UP: i32 = 24;
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        // Only then has the command ended by itself; a panic may quote the page.
        (Some(1), _) => Err(reason(told).map_or(Undrawn::Failed, Undrawn::Told)),
        (_, Some(TIME_IS_UP)) => Err(Undrawn::Slow),
        (_, Some(_)) => Err(Undrawn::GivenUp),
        _ => Err(Undrawn::Failed),
    }
}

fn reason(told: &str) -> Option<String> {
    let mut lines = told.lines();
    lines.find_map(|line| Some(line.strip_prefix("error: ")?.to_owned()))
}

fn lacks(told: &str) -> Vec<Lack> {
    let is_told = |lack: &Lack| told.lines().any(|line| line.ends_with(lack.as_str()));
    Lack::ALL.into_iter().filter(is_told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_the_process_ended_says_why_there_is_no_picture() {
        // As `waitpid` has it: an exit code is in the second byte, a signal in the first.
        for (status, why) in [
            (1 << 8, "the renderer cannot read the page"),
            (101 << 8, "the renderer fails on it"),
            (
                24,
                "drawing it takes more than 20 seconds of processor time",
            ),
            (
                6,
                "the renderer gave it up, or drawing it takes more than 2 GiB of memory",
            ),
            (
                9,
                "the renderer gave it up, or drawing it takes more than 2 GiB of memory",
            ),
        ] {
            let told = "error: the renderer cannot read the page\n";
            let ended = ended(ExitStatus::from_raw(status), told).unwrap_err();
            assert_eq!(ended.to_string(), why, "{status}");
        }
        assert!(ended(ExitStatus::from_raw(0), "").is_ok());
    }

    #[test]
    fn what_is_not_in_the_picture_is_told_by_the_process() {
        let told = format!("note: {}\nnote: something else\n", Lack::Font.as_str());
        assert_eq!(lacks(&told), [Lack::Font]);
    }
}
