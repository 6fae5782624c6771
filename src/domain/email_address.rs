use std::{fmt, str::FromStr};

/// Octets of an address that a mail server takes (RFC 5321, section 4.5.3.1.3, less its brackets).
const MAX_LENGTH: usize = 254;
/// Octets of what stands before the `@` (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// Octets of a label of a domain (RFC 1035, section 2.3.4).
const MAX_LABEL: usize = 63;

/// Where a person gets e-mail: `name@example.fi`. It prints as `[hidden]` wherever it is formatted.
///
/// The form is the one that every mail server takes: a dot-atom, `@`, and a domain of letters, digits and
/// hyphens (RFC 5321, section 4.1.2), ASCII all of it. So it needs no quoting in a header or a command.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

/// An address that does not have the form it must have. It is not repeated: it is a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no e-mail address such as `name@example.fi`; a domain beyond ASCII has its `xn--` form"
)]
pub struct InvalidEmailAddress;

impl EmailAddress {
    /// The address itself, for a place where a format demands it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What stands behind the `@`, which names nobody.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidEmailAddress;

    fn from_str(text: &str) -> Result<Self, InvalidEmailAddress> {
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidEmailAddress)?;
        let is_valid = text.len() <= MAX_LENGTH && is_local(local) && is_domain(domain);
        is_valid
            .then(|| Self(text.to_owned()))
            .ok_or(InvalidEmailAddress)
    }
}

/// A dot-atom (RFC 5322, section 3.2.3).
fn is_local(text: &str) -> bool {
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let is_part = |part: &str| !part.is_empty() && part.chars().all(is_atom);
    text.len() <= MAX_LOCAL && text.split('.').all(is_part)
}

fn is_domain(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.chars().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.split('.').all(is_label)
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_mail_servers_take_are_taken() {
        let long = format!("{}@example.fi", "a".repeat(MAX_LOCAL));
        let all = format!("a@{}fi", "abcdefghi.".repeat(25));
        for good in [
            &all,
            "maija@example.fi",
            "maija.meikalainen+post@mail.example.fi",
            "o'neil@xn--pivkirja-5wab.fi",
            "root@localhost",
            &long,
        ] {
            assert_eq!(good.parse::<EmailAddress>().unwrap().expose(), good);
        }
    }

    #[test]
    fn what_could_end_a_header_or_a_command_is_no_address() {
        let long = format!("{}@example.fi", "a".repeat(MAX_LOCAL + 1));
        let label = format!("a@{}.fi", "a".repeat(MAX_LABEL + 1));
        let all = format!("aa@{}fi", "abcdefghi.".repeat(25));
        for bad in [
            "",
            "maija",
            "@example.fi",
            "maija@",
            "a@b@c.fi",
            "maija@example..fi",
            ".maija@example.fi",
            "maija@-example.fi",
            "maija@example.fi\r\nBcc: x@y.fi",
            "maija@example.fi>",
            "mai ja@example.fi",
            "\"maija\"@example.fi",
            "maija@[192.0.2.1]",
            "mäija@example.fi",
            "maija@päivä.fi",
            &long,
            &label,
            &all,
        ] {
            assert!(bad.parse::<EmailAddress>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn nobody_reads_an_address_where_it_is_printed() {
        let address: EmailAddress = "maija@example.fi".parse().unwrap();
        assert_eq!(format!("{address} {address:?}"), "[hidden] [hidden]");
        assert_eq!(address.domain(), "example.fi");
    }
}
