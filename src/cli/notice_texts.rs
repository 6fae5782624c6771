//! Texts of notices that replace ours: a folder that the settings name.

use std::{fs, path::Path};

use crate::{
    config::{Config, Problem},
    notices::Texts,
};

/// Reads the texts that the settings name.
///
/// # Errors
///
/// What is wrong with them, a problem a file.
pub(super) fn give(config: &mut Config) -> Result<(), Vec<Problem>> {
    let Some(notices) = &mut config.notices else {
        return Ok(());
    };
    let Some(folder) = &notices.texts_folder else {
        return Ok(());
    };
    read(folder, &mut notices.texts)
}

fn read(folder: &Path, texts: &mut Texts) -> Result<(), Vec<Problem>> {
    let unreadable =
        |error: std::io::Error| vec![problem(folder, &format!("cannot be read: {error}"))];
    let mut problems = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Editors leave such.
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        match fs::read_to_string(&path) {
            Err(error) => problems.push(problem(&path, &format!("cannot be read: {error}"))),
            Ok(text) => {
                let replaced = texts.replace(&name, &text);
                let bad = replaced.map_err(|error| problem(&path, &error.to_string()));
                problems.extend(bad.err());
            }
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        problems.sort_by(|one, other| one.message.cmp(&other.message));
        Err(problems)
    }
}

fn problem(path: &Path, fault: &str) -> Problem {
    Problem {
        key: "notices.texts_folder".to_owned(),
        line: None,
        message: format!("names `{}`, which {fault}", path.display()),
        suggestion: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let mut file = fs::File::create(folder.path().join(name)).unwrap();
            std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        }
        let problems = read(folder.path(), &mut Texts::default()).err();
        let here = format!("{}/", folder.path().display());
        let problems = problems.unwrap_or_default().into_iter();
        problems
            .map(|it| it.to_string().replace(&here, ""))
            .collect()
    }

    #[test]
    fn a_folder_of_texts_is_read_and_all_that_is_wrong_with_it_is_said() {
        let good = "Subject: Post\n\nFrom {sender}.\n";
        assert_eq!(
            told(&[("fi.txt", good), (".fi.txt.swp", ""), ("fi.txt~", "")]),
            [""; 0]
        );
        let bad = [
            ("fi.txt", "Post"),
            ("sv.txt", "Subject: a\n\n{sender} {count}"),
            ("de.txt", good),
        ];
        insta::assert_snapshot!(told(&bad).join("\n"), @r"
        `notices.texts_folder` names `de.txt`, which is the name of no text; there are fi.txt, fi-reminder.txt, sv.txt, sv-reminder.txt, en.txt, en-reminder.txt
        `notices.texts_folder` names `fi.txt`, which must begin with `Subject: …` and an empty line
        `notices.texts_folder` names `sv.txt`, which has the placeholder `{count}`, which nobody knows; there is `{sender}`
        ");
        let missing = read(Path::new("/nowhere/texts"), &mut Texts::default()).unwrap_err();
        assert!(
            missing[0].to_string().contains("cannot be read"),
            "{missing:?}"
        );
    }
}
