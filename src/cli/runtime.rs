use std::{io, sync::mpsc, thread};

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
///
/// A thread of its own listens: the others may all wait for a database that somebody keeps.
pub(super) fn stop_signal() -> io::Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
    let (tell, listens) = mpsc::channel();
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            let told = listen(&stop, &tell);
            let _ = tell.send(told);
        })?;
    let gone = |_| Err(io::Error::other("the thread that listens is gone"));
    listens.recv().unwrap_or_else(gone)?;
    Ok(stopped)
}

/// Says when it listens; comes back only where it cannot.
fn listen(stop: &watch::Sender<bool>, tell: &mpsc::Sender<io::Result<()>>) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let (mut interrupt, mut terminate) = (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        );
        let _ = tell.send(Ok(()));
        next(&mut interrupt, &mut terminate).await;
        tracing::info!("stopping: steps in hand are finished; once more to stop at once");
        stop.send_replace(true);
        next(&mut interrupt, &mut terminate).await;
        std::process::exit(130);
    })
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
