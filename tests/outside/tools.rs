//! Runs other people's programs.

use std::{
    ffi::OsStr,
    fs::File,
    path::Path,
    process::{Command, Output},
};

/// What a program said, where it ended well.
///
/// # Panics
///
/// Where the program is missing: a test that needs it must not pass without it.
pub(crate) fn run<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> Said {
    let (ended_well, said) = attempt(program, arguments);
    assert!(ended_well, "{program} failed:\n{}{}", said.out, said.err);
    said
}

/// Whether a program ended well, and what it said.
pub(crate) fn attempt<S: AsRef<OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = S>,
) -> (bool, Said) {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| {
        panic!("{program} cannot be started ({error}); `.ci/run` installs it")
    });
    (output.status.success(), Said::from(&output))
}

/// As [`attempt`], with a file on standard input.
pub(crate) fn attempt_on<S: AsRef<OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = S>,
    input: &Path,
) -> (bool, Said) {
    let mut command = Command::new(program);
    let output = command.args(arguments).stdin(File::open(input).unwrap());
    let output = output.output().unwrap_or_else(|error| {
        panic!("{program} cannot be started ({error}); `.ci/run` installs it")
    });
    (output.status.success(), Said::from(&output))
}

/// Runs a script of this folder by the Python that `KUORI_PYTHON` names.
pub(crate) fn python<S: AsRef<OsStr>>(
    script: &str,
    arguments: impl IntoIterator<Item = S>,
) -> String {
    let python = std::env::var("KUORI_PYTHON")
        .expect("KUORI_PYTHON names the Python of a venv with tests/outside/requirements.txt");
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/outside")
        .join(script);
    let arguments: Vec<_> = arguments.into_iter().collect();
    let all = [script.as_os_str()]
        .into_iter()
        .chain(arguments.iter().map(AsRef::as_ref));
    run(&python, all).out
}

pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<&Output> for Said {
    fn from(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }
}

/// qpdf finds nothing wrong, and nothing that it would warn of.
pub(crate) fn assert_qpdf_is_content(pdf: &Path) {
    let name = pdf.display();
    let said = run("qpdf", [OsStr::new("--check"), pdf.as_os_str()]);
    let text = said.out + &said.err;
    assert!(
        text.contains("No syntax or stream encoding errors found"),
        "{name}: {text}"
    );
    assert!(!text.to_lowercase().contains("warning"), "{name}: {text}");
}

/// `MuPDF` interprets every page without a word.
pub(crate) fn assert_mutool_is_content(pdf: &Path) {
    let name = pdf.display();
    let pdf = pdf.as_os_str();
    let drawn = ["draw", "-q", "-F", "trace", "-o", "/dev/null"].map(OsStr::new);
    let drawn = run("mutool", drawn.into_iter().chain([pdf]));
    let info = run("mutool", [OsStr::new("info"), pdf]);
    for line in drawn.err.lines().chain(info.err.lines()) {
        // Debian builds it without a colour management library; that is nothing about the file.
        assert_eq!(line, "warning: ICC support is not available", "{name}");
    }
}

/// Every font is embedded.
pub(crate) fn assert_fonts_are_embedded(pdf: &Path) {
    let name = pdf.display();
    let said = run("pdffonts", [pdf]);
    assert_eq!(said.err, "", "{name}");
    let mut lines = said.out.lines();
    let header = lines.next().unwrap();
    let column = header.find("emb").unwrap();
    let fonts: Vec<_> = lines.skip(1).collect();
    assert!(!fonts.is_empty(), "{name} has no fonts");
    for font in fonts {
        assert!(font[column..].starts_with("yes"), "{name}: {font}");
    }
}
