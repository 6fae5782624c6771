//! The parent's side: starts a child for each PDF, feeds it, and never waits for ever.

use std::{
    io::{self, Read, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{Settings, places::Places, verdict::Verdict};
use crate::pdf::{NotRewritten, Rewrite, SecondReader};

/// Has PDFs rewritten, each by a process of its own.
pub struct Clerk {
    program: PathBuf,
    settings: Settings,
    places: Places,
}

impl Clerk {
    pub fn new(settings: Settings) -> io::Result<Self> {
        let program = settings.program.clone().map_or_else(this_program, Ok)?;
        Ok(Self {
            program,
            places: Places::new(settings.at_once),
            settings,
        })
    }

    fn start(&self, wanted: Rewrite) -> io::Result<Child> {
        let settings = &self.settings;
        let mut command = Command::new(&self.program);
        command.arg("rewrite-pdf");
        if wanted == Rewrite::Decrypt {
            command.arg("--decrypt");
        }
        let numbers = [
            ("--max-input-bytes", settings.max_input_bytes),
            ("--max-output-bytes", settings.max_output_bytes),
            ("--max-memory-bytes", settings.max_memory_bytes),
            ("--max-cpu-secs", settings.max_cpu_secs),
        ];
        for (name, number) in numbers {
            command.arg(name).arg(number.to_string());
        }
        command.env_clear();
        command.current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::null()).spawn()
    }

    fn work(&self, pdf: &[u8], wanted: Rewrite) -> Result<Vec<u8>, NotRewritten> {
        let child = self.start(wanted).map_err(NotRewritten::Failed)?;
        let mut running = Running {
            child,
            deadline: Instant::now() + self.settings.max_wall,
        };
        let talked = running.talk(pdf, self.settings.max_output_bytes);
        let (plain, status) = talked.map_err(NotRewritten::Failed)?;
        if plain.len() as u64 > self.settings.max_output_bytes {
            return Err(Verdict::GrowsTooLong.into());
        }
        verdict(status).map(|()| plain)
    }
}

impl SecondReader for Clerk {
    fn rewrite(&self, pdf: &[u8], wanted: Rewrite) -> Result<Vec<u8>, NotRewritten> {
        if pdf.len() as u64 > self.settings.max_input_bytes {
            return Err(Verdict::TooLong.into());
        }
        let _place = self.places.take();
        self.work(pdf, wanted)
    }
}

/// The program that runs, even where its file was replaced meanwhile.
fn this_program() -> io::Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() {
        return Ok(running.to_owned());
    }
    std::env::current_exe()
}

fn verdict(status: ExitStatus) -> Result<(), NotRewritten> {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(Verdict::of_exit_code(code).into()),
        (None, signal) => Err(of_signal(signal)),
    }
}

/// An overflow of the stack, and memory that is not given, end in an abort; all but these few signals
/// come from outside.
fn of_signal(signal: Option<i32>) -> NotRewritten {
    let is = |one: Signal| signal == Some(one.as_raw());
    if is(Signal::XCPU) {
        return NotRewritten::Limit("processor time of the second reader");
    }
    if is(Signal::ABORT) || is(Signal::SEGV) || is(Signal::BUS) {
        return NotRewritten::Limit("memory of the second reader");
    }
    let told = format!("the child was ended by signal {}", signal.unwrap_or(0));
    NotRewritten::Failed(io::Error::other(told))
}

/// A child, which is ended and waited for whatever happens.
struct Running {
    child: Child,
    deadline: Instant,
}

impl Running {
    /// Writes and reads at once: neither side waits for a pipe that the other does not empty. Reads one
    /// byte more than is taken, and tells how the child ended.
    fn talk(&mut self, pdf: &[u8], most: u64) -> io::Result<(Vec<u8>, ExitStatus)> {
        let (Some(mut stdin), Some(stdout)) = (self.child.stdin.take(), self.child.stdout.take())
        else {
            return Err(io::Error::other("the child has no pipes"));
        };
        thread::scope(|scope| {
            // A child that refuses its file need not read it to the end.
            scope.spawn(move || stdin.write_all(pdf));
            let (send, receive) = mpsc::channel();
            scope.spawn(move || {
                let mut read = Vec::new();
                let all = stdout.take(most.saturating_add(1)).read_to_end(&mut read);
                send.send(all.map(|_| read))
            });
            let talked = self.heard(&receive, most);
            // Both threads end with the child, and not before where it neither reads nor ends.
            let _ = self.child.kill();
            talked
        })
    }

    fn heard(
        &mut self,
        receive: &mpsc::Receiver<io::Result<Vec<u8>>>,
        most: u64,
    ) -> io::Result<(Vec<u8>, ExitStatus)> {
        let read = receive.recv_timeout(self.left());
        let read = read.unwrap_or_else(|_| Err(too_slow()))?;
        if read.len() as u64 > most {
            self.child.kill()?;
        }
        Ok((read, self.end()?))
    }

    /// How it ended. It has closed its output, so that it is about to.
    fn end(&mut self) -> io::Result<ExitStatus> {
        const PAUSE: Duration = Duration::from_millis(2);
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if self.left().is_zero() {
                return Err(too_slow());
            }
            thread::sleep(PAUSE);
        }
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Of one that has ended, neither does anything.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the second reader took too long")
}
