//! paramiko and asyncssh, each driven by a script beside this file.

use std::process::Command;

use super::{Client, Door, Step, lines, patient, tries};

struct Script {
    file: &'static str,
    says_why: bool,
}

/// It writes without waiting for answers, and finds at the end that bytes are missing.
const PARAMIKO: Script = Script {
    file: "steps_paramiko.py",
    says_why: false,
};

const ASYNCSSH: Script = Script {
    file: "steps_asyncssh.py",
    says_why: true,
};

tries!(paramiko, "paramiko 5.1", PARAMIKO, "needs paramiko");

tries!(asyncssh, "asyncssh 2.24", ASYNCSSH, "needs asyncssh");

impl Client for Script {
    fn commands(&self, door: &Door<'_>, steps: &[Step]) -> Vec<Command> {
        let mut python = patient(interpreter());
        python
            .arg(beside(self.file))
            .args([&door.port(), door.user]);
        python.arg(door.key()).arg(door.script(lines(steps)));
        vec![python]
    }

    fn says_why(&self) -> bool {
        self.says_why
    }
}

/// The Python that `KUORI_PYTHON` names.
pub(super) fn interpreter() -> String {
    std::env::var("KUORI_PYTHON")
        .expect("KUORI_PYTHON names the Python of a venv with tests/outside/requirements.txt")
}

pub(super) fn beside(script: &str) -> std::path::PathBuf {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.join("tests/outside/sftp").join(script)
}
