use serde::Serialize;
use serde_json::Value;

/// A request and what was answered, for those who hold both to the API's description.
///
/// Bodies are texts in which each character is a byte (ISO 8859-1), so that files come through too.
/// Passwords and tokens are hidden.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Exchange {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) has_token: bool,
    pub(super) content_type: String,
    pub(super) body: String,
    pub(super) answer: Option<Answered>,
    /// Whether something was done to it on purpose.
    pub(super) has_mishap: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) trace_id: String,
    pub(super) body: String,
}

/// Fields that nobody has to know to judge a body.
const SECRETS: [&str; 5] = [
    "password",
    "currentPassword",
    "newPassword",
    "accessToken",
    "access_token",
];

/// A body as it is kept.
pub(super) fn kept(path: &str, bytes: &[u8]) -> String {
    if !matches!(path, "/v1/token" | "/v1/change-password") {
        return latin(bytes);
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(bytes) else {
        return String::new();
    };
    for name in SECRETS {
        if let Some(text @ Value::String(_)) = body.get_mut(name) {
            *text = Value::from("hidden");
        }
    }
    body.to_string()
}

fn latin(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
