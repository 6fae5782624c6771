//! Places where a test may kill the program: before and after every effect that lasts.
//!
//! Comes in: the kind of an effect, and what it is done to. Goes out: nothing, or the end of the
//! process. It does not know what the effect is for. A build without debug assertions has nothing of
//! it.
//!
//! A point is named `<effect>/<what>/<before|after>`, such as `rename/spool: keep/after`. Effects are
//! `write`, `sync`, `rename`, `link`, `remove`, `commit` and `remote`. Two variables of the
//! environment make use of the points:
//!
//! - `KUORI_CRASH_AT=<point>#<n>` kills the process with SIGKILL at its n-th pass of that point;
//! - `KUORI_CRASH_LOG=<file>` appends the name of each point that is passed, a line each.

/// Called right before an effect.
#[inline]
pub fn before(effect: &'static str, what: &'static str) {
    pass(effect, what, "before");
}

/// Called right after an effect, whatever came of it.
#[inline]
pub fn after(effect: &'static str, what: &'static str) {
    pass(effect, what, "after");
}

/// Does something between its two points.
#[inline]
pub fn around<T>(effect: &'static str, what: &'static str, deed: impl FnOnce() -> T) -> T {
    before(effect, what);
    let done = deed();
    after(effect, what);
    done
}

/// Waits for something of another side between its two points.
#[inline]
pub async fn around_remote<T>(what: &'static str, deed: impl Future<Output = T>) -> T {
    before("remote", what);
    let done = deed.await;
    after("remote", what);
    done
}

#[cfg(debug_assertions)]
use armed::pass;

#[cfg(not(debug_assertions))]
#[inline]
fn pass(_: &'static str, _: &'static str, _: &'static str) {}

#[cfg(debug_assertions)]
mod armed {
    use std::{
        env,
        fs::File,
        io::Write,
        sync::{Mutex, OnceLock, PoisonError},
        thread,
    };

    use rustix::process::{Signal, getpid, kill_process};

    /// What the environment asks for.
    struct Plan {
        end: Option<End>,
        log: Option<File>,
    }

    /// Where the process ends, and how many passes of that point are left until then.
    struct End {
        point: String,
        passes: Mutex<u64>,
    }

    static PLAN: OnceLock<Option<Plan>> = OnceLock::new();

    pub(super) fn pass(effect: &str, what: &str, side: &str) {
        if let Some(plan) = PLAN.get_or_init(Plan::of_environment) {
            plan.pass(&format!("{effect}/{what}/{side}"));
        }
    }

    impl Plan {
        fn of_environment() -> Option<Self> {
            let end = env::var("KUORI_CRASH_AT").ok();
            let log = env::var_os("KUORI_CRASH_LOG");
            let plan = Self {
                end: end.and_then(|end| End::read(&end)),
                log: log.and_then(|path| File::options().create(true).append(true).open(path).ok()),
            };
            (plan.end.is_some() || plan.log.is_some()).then_some(plan)
        }

        fn pass(&self, point: &str) {
            if let Some(mut log) = self.log.as_ref() {
                // One write a line: other threads and processes write here too.
                let _ = log.write_all(format!("{point}\n").as_bytes());
            }
            if self.end.as_ref().is_some_and(|end| end.is_here(point)) {
                let _ = kill_process(getpid(), Signal::KILL);
                loop {
                    thread::park();
                }
            }
        }
    }

    impl End {
        fn read(given: &str) -> Option<Self> {
            let (point, pass) = given.rsplit_once('#')?;
            Some(Self {
                point: point.to_owned(),
                passes: Mutex::new(pass.parse().ok()?),
            })
        }

        fn is_here(&self, point: &str) -> bool {
            if point != self.point {
                return false;
            }
            let passes = self.passes.lock();
            let mut left = passes.unwrap_or_else(PoisonError::into_inner);
            *left = left.saturating_sub(1);
            *left == 0
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_end_comes_at_the_pass_that_was_asked_for() {
            let end = End::read("rename/spool: keep/after#2").unwrap();
            assert!(!end.is_here("rename/spool: keep/after"));
            assert!(!end.is_here("rename/spool: keep/before"));
            assert!(end.is_here("rename/spool: keep/after"));
        }

        #[test]
        fn what_names_no_point_ends_nothing() {
            assert!(End::read("rename/spool: keep/after").is_none());
            assert!(End::read("rename/spool: keep/after#often").is_none());
        }
    }
}
