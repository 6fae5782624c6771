//! One binary, so that it links once: `cargo bench --bench stages [-- NAME]`. Each module measures one
//! room, or the whole house.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::print_stdout,
    reason = "a bench that cannot make its input ends here, and it prints what it found"
)]

mod archive;
mod compose;
mod content;
mod control;
mod crowd;
mod flow;
mod house;
mod open;
mod plan;
mod route;
mod samples;
mod store;

use criterion::{Criterion, criterion_group, criterion_main};

criterion_group! {
    name = stages;
    // Ten samples of something that takes a tenth of a second say enough.
    config = Criterion::default().sample_size(10).without_plots();
    targets = archive::bench, control::bench, open::bench, route::bench, plan::bench, compose::bench, content::bench, store::bench, flow::bench
}
criterion_main!(stages);
