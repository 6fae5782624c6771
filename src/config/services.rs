use super::{ServiceConfig, key_path::KeyPath, problem::Problems};

/// Reports a service that stands in the settings twice: each would send at the rate of one, and take the
/// events of the other for strangers'.
pub(super) fn check(services: &[ServiceConfig], problems: &mut Problems) {
    for (index, later) in services.iter().enumerate() {
        let is_same = |earlier: &&ServiceConfig| {
            let (earlier, later) = (&earlier.client, &later.client);
            earlier.base_url == later.base_url && earlier.service_id == later.service_id
        };
        if let Some(earlier) = services.iter().take(index).find(is_same) {
            let key = KeyPath::root().key("suomifi");
            let key = key.key(later.client.name.as_str()).key("service_id");
            let message = format!(
                "is that of `suomifi.{}` too; senders may share a service",
                earlier.client.name
            );
            problems.add(&key, message);
        }
    }
}
