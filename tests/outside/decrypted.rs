//! What the second reader opens looks as it does where qpdf opens it.

use std::{fs, path::Path};

use kuori::{
    pdf::{NotRewritten, Rewrite, SecondReader},
    second_reader::{Clerk, Settings},
};

use super::{picture::draw, tools};

const DPI: u32 = 60;

/// How qpdf encrypts, by the arguments after the passwords.
const KINDS: [&[&str]; 5] = [
    &["40"],
    &["128", "--use-aes=n"],
    &["128", "--use-aes=n", "--force-V4"],
    &["128", "--use-aes=y"],
    &["256"],
];

#[test]
#[ignore = "needs qpdf and pdftoppm"]
fn what_qpdf_encrypts_is_opened_with_the_empty_password_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let plain = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encrypted/plain.pdf");
    let clerk = Clerk::new(Settings {
        program: Some(env!("CARGO_BIN_EXE_kuori").into()),
        ..Settings::default()
    });
    let clerk = clerk.unwrap();
    for kind in KINDS {
        for packing in ["disable", "generate"] {
            let encrypted = |user: &str| {
                let path = folder.path().join("encrypted.pdf");
                let mut arguments = vec!["--allow-weak-crypto".to_owned()];
                arguments.push(format!("--object-streams={packing}"));
                arguments.push("--encrypt".to_owned());
                arguments.extend([user, "owner"].map(str::to_owned));
                arguments.extend(kind.iter().map(|&argument| argument.to_owned()));
                arguments.push("--".to_owned());
                arguments.extend([&plain, &path].map(|path| path.display().to_string()));
                tools::run("qpdf", &arguments);
                path
            };
            let locked = fs::read(encrypted("secret")).unwrap();
            let refused = clerk.rewrite(&locked, Rewrite::Decrypt);
            assert!(matches!(refused, Err(NotRewritten::Locked)), "{kind:?}");
            let open = encrypted("");
            let ours = folder.path().join("ours.pdf");
            let rewritten = clerk.rewrite(&fs::read(&open).unwrap(), Rewrite::Decrypt);
            fs::write(&ours, rewritten.unwrap()).unwrap();
            tools::assert_qpdf_is_content(&ours);
            let theirs = folder.path().join("theirs.pdf");
            let paths = [&open, &theirs].map(|path| path.display().to_string());
            tools::run("qpdf", ["--decrypt".to_owned()].iter().chain(&paths));
            let [ours, theirs] = [&ours, &theirs].map(|path| draw(path, DPI, 1, 1).remove(0));
            assert!(!ours.is_white(), "{kind:?}");
            assert_eq!(ours.first_difference(&theirs, DPI, &[]), None, "{kind:?}");
        }
    }
}
