/// The one of `known` that was probably meant, if any is near enough.
///
/// Where no name is a slip away, one that `given` begins, or that begins `given`, will do: `password`
/// is near `password_file`.
pub(crate) fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    let near_enough = 1 + given.chars().count() / 3;
    let rank = |name: &'a str| {
        let slips = strsim::damerau_levenshtein(&given, name);
        let is_near = slips <= near_enough;
        (is_near || one_begins_other(&given, name)).then_some((!is_near, slips, name))
    };
    known.filter_map(rank).min().map(|(_, _, name)| name)
}

fn one_begins_other(one: &str, other: &str) -> bool {
    const SHORTEST_BEGINNING: usize = 3;
    let shorter = one.len().min(other.len());
    shorter >= SHORTEST_BEGINNING && (one.starts_with(other) || other.starts_with(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 5] = [
        "gate",
        "key_file",
        "password_file",
        "poll_interval_secs",
        "log",
    ];

    fn meant(given: &str) -> Option<&'static str> {
        nearest(given, KNOWN.into_iter())
    }

    #[test]
    fn a_slip_of_the_pen_is_understood() {
        assert_eq!(meant("gaet"), Some("gate"));
        assert_eq!(meant("poll_interval_sec"), Some("poll_interval_secs"));
        assert_eq!(meant("Poll-Interval-Secs"), Some("poll_interval_secs"));
        assert_eq!(meant("password"), Some("password_file"));
    }

    #[test]
    fn what_is_like_nothing_known_suggests_nothing() {
        assert_eq!(meant("colour"), None);
        assert_eq!(meant(""), None);
    }
}
