use jiff::Timestamp;
use serde::Serialize;

/// The way that a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    Electronic,
    Paper,
}

/// A message that was accepted: once, however often it was sent.
#[derive(Debug, Clone, Serialize)]
pub struct Accepted {
    pub message_id: i64,
    pub external_id: String,
    pub service_id: String,
    pub route: Route,
    /// Whether a receipt is to be confirmed.
    pub is_verifiable: bool,
    pub attachments: Vec<String>,
    /// By the stand-in's clock.
    pub at: Timestamp,
    /// How often it was sent again.
    pub repeats: u32,
    pub is_read: bool,
    pub is_acknowledged: bool,
    pub is_printed: bool,
    pub is_settled_by_post: bool,
    /// The request, where bodies are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Value>,
}
