//! Who is at the keyboard, as well as the system knows it.

use std::{env, fs};

/// Who is named in the history for what a command changes.
///
/// The kernel says first who logged in: that stays through `su` and `sudo`, and only root can change it.
/// Where it does not know, `sudo` says who called it, and else it is the user of this process. Whoever is
/// root, or can write the data folder, can have any name stand here.
pub(super) fn actor() -> String {
    let own = rustix::process::getuid().as_raw();
    let logged_in = fs::read_to_string("/proc/self/loginuid").ok();
    let sudo = env::var("SUDO_USER").ok().filter(|_| own == 0);
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    name(own, logged_in.as_deref(), sudo.as_deref(), &users)
        .or_else(|| env::var("USER").ok().filter(|user| !user.is_empty()))
        .unwrap_or_else(|| format!("user {own}"))
}

/// `maija`, or `maija as root` where the process is another user's. `None` where nobody has a name.
fn name(own: u32, logged_in: Option<&str>, sudo: Option<&str>, users: &str) -> Option<String> {
    let logged_in = logged_in
        .and_then(|id| id.trim().parse().ok())
        .filter(|&id| id != NOBODY_LOGGED_IN)
        .and_then(|id| name_of(id, users));
    let own = name_of(own, users);
    match (logged_in.or(sudo), own) {
        (Some(person), Some(own)) if person != own => Some(format!("{person} as {own}")),
        (person, own) => person.or(own).map(str::to_owned),
    }
}

/// What the kernel says of a process that nobody's login has begun.
const NOBODY_LOGGED_IN: u32 = u32::MAX;

fn name_of(id: u32, users: &str) -> Option<&str> {
    let mut lines = users.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        let name = fields.next()?;
        let found: u32 = fields.nth(1)?.parse().ok()?;
        (found == id).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/sh\nkuori:x:998:998::/:/bin/false\n\
        maija:x:1000:1000:Maija:/home/maija:/bin/sh\n";

    #[test]
    fn the_one_who_logged_in_is_named_beside_the_user_of_the_process() {
        let told = |own, logged_in, sudo| name(own, logged_in, sudo, USERS);
        assert_eq!(told(1000, Some("1000"), None).unwrap(), "maija");
        assert_eq!(told(998, Some("1000\n"), None).unwrap(), "maija as kuori");
        assert_eq!(
            told(0, Some("1000"), Some("other")).unwrap(),
            "maija as root"
        );
        // In a container nobody has logged in.
        assert_eq!(told(0, Some("4294967295"), None).unwrap(), "root");
        assert_eq!(
            told(0, Some("4294967295"), Some("maija")).unwrap(),
            "maija as root"
        );
        assert_eq!(told(998, None, None).unwrap(), "kuori");
        assert_eq!(told(4711, None, None), None);
    }
}
