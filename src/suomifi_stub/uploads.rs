use std::{collections::HashMap, time::Duration};

use hyper::{StatusCode, body::Bytes};
use jiff::Timestamp;
use serde_json::json;

use super::{
    answer::Answer,
    doors::Asked,
    multipart::{self, Part},
    world::World,
};

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

/// The types that `/v2/attachments` takes.
const FILE_TYPES: [&str; 12] = [
    "application/msword",
    "application/pdf",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "image/jpeg",
    "image/png",
    "text/plain",
];

/// `POST /v2/attachments`.
pub(super) fn answer(world: &mut World, asked: &Asked<'_>) -> Answer {
    let unsupported = |what| Answer::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, what);
    let Some(boundary) = multipart::boundary(asked.content_type) else {
        return unsupported("Content-Type must be multipart/form-data");
    };
    let Some(parts) = multipart::parts(asked.body, &boundary) else {
        return Answer::bad_request("the body must be multipart/form-data");
    };
    let Some(file) = parts.into_iter().find(|part| part.name == "file") else {
        return Answer::bad_request("file is missing");
    };
    let kind = file.media_type.clone().unwrap_or_default();
    if !FILE_TYPES.contains(&kind.as_str()) {
        return unsupported("the type of the file is not supported");
    }
    let now = world.now();
    if !world.uploads.have_room(now) {
        return Answer::full("uploads");
    }
    keep(world, file, kind)
}

fn keep(world: &mut World, file: Part, media_type: String) -> Answer {
    let Some(name) = file.filename.filter(|name| !name.is_empty()) else {
        return Answer::bad_request("the file has no `filename` (RFC 7578, 4.2)");
    };
    let id = world.uuid();
    let size = file.bytes.len() as u64;
    let upload = Upload {
        name,
        media_type,
        at: world.now(),
        is_used: false,
        bytes: world.settings.keeps_bodies.then_some(file.bytes),
    };
    world.tally.uploads += 1;
    world.tally.upload_bytes += size;
    world.uploads.keep(id.clone(), upload);
    Answer::json(StatusCode::CREATED, json!({"attachmentId": id}))
}
