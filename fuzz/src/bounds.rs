use kuori::{
    batch::{Limits, Settings},
    pdf,
};

/// Limits so low that small inputs reach them, and so high that every sample keeps them.
pub fn settings() -> Settings {
    Settings {
        limits: Limits {
            max_zip_bytes: 1 << 20,
            max_unpacked_bytes: 1 << 20,
            max_document_bytes: 512 << 10,
            max_letter_pdf_bytes: 64 << 10,
            ratio_floor_bytes: 64 << 10,
            max_entries: 40,
            max_messages: 2_000,
            max_missing_documents: 20,
            max_token_bytes: 64 << 10,
            ..Limits::default()
        },
        pdf: pdf::Limits {
            max_objects: 20_000,
            max_inflated_object_stream_bytes: 1 << 20,
            max_pages: 2_000,
            ..pdf::Limits::default()
        },
        ..Settings::default()
    }
}
