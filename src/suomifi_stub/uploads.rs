use std::{collections::HashMap, time::Duration};

use hyper::body::Bytes;
use jiff::Timestamp;

/// A file that was uploaded.
pub(super) struct Upload {
    pub(super) name: String,
    pub(super) media_type: String,
    pub(super) at: Timestamp,
    /// A message refers to it: it stays.
    pub(super) is_used: bool,
    /// Where bodies are kept.
    pub(super) bytes: Option<Bytes>,
}

/// Files that wait for a message, and those that have one.
pub(super) struct Uploads {
    files: HashMap<String, Upload>,
    life: Duration,
    most: usize,
}

impl Uploads {
    pub(super) fn new(life: Duration, most: usize) -> Self {
        Self {
            files: HashMap::new(),
            life,
            most,
        }
    }

    /// Whether there is room for one more, once those that are too old have gone.
    pub(super) fn have_room(&mut self, now: Timestamp) -> bool {
        if self.files.len() >= self.most {
            let life = self.life;
            self.files.retain(|_, upload| lives(upload, life, now));
        }
        self.files.len() < self.most
    }

    pub(super) fn keep(&mut self, id: String, upload: Upload) {
        self.files.insert(id, upload);
    }

    /// One that is gone for its age is as one that never was.
    pub(super) fn find(&self, id: &str, now: Timestamp) -> Option<&Upload> {
        let upload = self.files.get(&id.to_ascii_lowercase())?;
        lives(upload, self.life, now).then_some(upload)
    }

    pub(super) fn mark_used(&mut self, id: &str) {
        if let Some(upload) = self.files.get_mut(&id.to_ascii_lowercase()) {
            upload.is_used = true;
        }
    }
}

fn lives(upload: &Upload, life: Duration, now: Timestamp) -> bool {
    let age = now.duration_since(upload.at);
    upload.is_used || age.unsigned_abs() < life
}
