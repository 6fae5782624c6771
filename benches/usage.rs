use std::fs;

/// What this process has used since it began (`proc(5)`).
pub(crate) struct Usage {
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_bytes: u64,
}

/// The kernel counts processor time for `/proc` in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

impl Usage {
    pub(crate) fn now() -> Self {
        Self {
            cpu_seconds: cpu_seconds(),
            peak_bytes: status_bytes("VmHWM"),
        }
    }

    pub(crate) fn peak_mib(&self) -> u64 {
        self.peak_bytes >> 20
    }
}

/// Fields 14 and 15 of `stat`, user and system; counted from behind the name, which may have blanks.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks: f64 = ticks.map(|field| field.parse::<f64>().unwrap()).sum();
    ticks / TICKS_PER_SECOND
}

/// A line of `status` that counts bytes, such as `VmHWM`.
pub(crate) fn status_bytes(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line.unwrap().trim_matches([':', '\t', ' ', 'k', 'B']);
    kibibytes.parse::<u64>().unwrap() << 10
}
