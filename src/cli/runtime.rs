use std::io;

use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use super::CommandError;

/// The threads that a command waits on the network with.
pub(super) fn runtime() -> Result<Runtime, CommandError> {
    let built = Builder::new_multi_thread().enable_all().build();
    built.map_err(|error| CommandError::failed("cannot start threads").caused_by(error.to_string()))
}

/// Turns true at Ctrl-C or SIGTERM. A second one ends the program at once, which is safe too: the
/// next start goes on where the last transaction ended.
pub(super) fn stop_signal() -> io::Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    tokio::spawn(async move {
        next(&mut interrupt, &mut terminate).await;
        tracing::info!("stopping: steps in hand are finished; once more to stop at once");
        let _ = stop.send(true);
        next(&mut interrupt, &mut terminate).await;
        std::process::exit(130);
    });
    Ok(stopped)
}

/// Changes at each SIGHUP; one that comes while another is worked on is not lost.
pub(super) fn reload_signal() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
