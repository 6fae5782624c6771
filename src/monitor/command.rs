//! Runs the operator's command for an alert.

use std::{
    io::{self, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::json;
use tokio::time::Instant;

use crate::store::Alert;

/// Why the command did not do what it is there for.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("no command is set: `[alerts]` has none")]
    None,
    #[error("cannot run `{program}`")]
    Run { program: String, source: io::Error },
    #[error("`{program}` ended with {status}")]
    Ended { program: String, status: ExitStatus },
    #[error("`{program}` took longer than {} s and was ended", .time.as_secs())]
    Slow { program: String, time: Duration },
}

/// How often it is looked whether the command has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Runs the command with the alert as JSON on its standard input and in its environment, and waits
/// for it no longer than `time`; then it is killed, with all that it started.
pub async fn page(
    command: &[String],
    what: &str,
    alert: &Alert,
    time: Duration,
) -> Result<(), Failure> {
    let (program, arguments) = command.split_first().ok_or(Failure::None)?;
    let failed = |source| Failure::Run {
        program: program.clone(),
        source,
    };
    let mut child = start(program, arguments, what, alert).map_err(failed)?;
    let until = Instant::now() + time;
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            let program = program.clone();
            return if status.success() {
                Ok(())
            } else {
                Err(Failure::Ended { program, status })
            };
        }
        if Instant::now() >= until {
            end(&mut child);
            return Err(Failure::Slow {
                program: program.clone(),
                time,
            });
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn start(program: &str, arguments: &[String], what: &str, alert: &Alert) -> io::Result<Child> {
    let mut child = Command::new(program)
        .args(arguments)
        .env("KUORI_ALERT_WHAT", what)
        .env("KUORI_ALERT_CODE", &alert.code)
        .env("KUORI_ALERT_SUBJECT", &alert.subject)
        .env("KUORI_ALERT_SINCE", alert.since.to_string())
        .env("KUORI_ALERT_TEXT", &alert.text)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A pipe holds far more than this, so nobody waits; and who does not read it has the rest.
        let _ = input.write_all(document(what, alert).as_bytes());
    }
    Ok(child)
}

fn document(what: &str, alert: &Alert) -> String {
    let document = json!({
        "what": what,
        "code": alert.code,
        "subject": alert.subject,
        "since": alert.since.to_string(),
        "text": alert.text,
    });
    format!("{document}\n")
}

fn end(child: &mut Child) {
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn alert() -> Alert {
        Alert {
            code: "place-down".to_owned(),
            subject: "print-house:example-print".to_owned(),
            since: Timestamp::UNIX_EPOCH,
            begun_at: Timestamp::UNIX_EPOCH,
            told_at: Timestamp::UNIX_EPOCH,
            text: "is away: \"no route\"".to_owned(),
        }
    }

    async fn run(script: &str, time: Duration) -> Result<(), Failure> {
        let command = ["/bin/sh", "-c", script].map(str::to_owned);
        page(&command, "begun", &alert(), time).await
    }

    #[tokio::test]
    async fn the_command_reads_the_alert_and_has_it_in_its_environment() {
        let folder = tempfile::tempdir().unwrap();
        let told = folder.path().join("told");
        let script = format!(
            "(cat; echo \"$KUORI_ALERT_CODE $KUORI_ALERT_WHAT\") > {}",
            told.display()
        );
        run(&script, Duration::from_mins(1)).await.unwrap();
        let told = std::fs::read_to_string(told).unwrap();
        let (json, environment) = told.split_once('\n').unwrap();
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(json["text"], "is away: \"no route\"");
        assert_eq!(json["since"], "1970-01-01T00:00:00Z");
        assert_eq!(environment, "place-down begun\n");
    }

    #[tokio::test]
    async fn a_command_that_fails_is_slow_or_missing_is_told() {
        let long = Duration::from_mins(1);
        assert!(matches!(
            run("exit 3", long).await,
            Err(Failure::Ended { .. })
        ));
        let slow = run("sleep 600 & wait", Duration::from_millis(1)).await;
        assert!(matches!(slow, Err(Failure::Slow { .. })));
        let missing = ["/no/such/program".to_owned()];
        let missing = page(&missing, "begun", &alert(), long).await;
        assert!(matches!(missing, Err(Failure::Run { .. })));
        assert!(matches!(
            page(&[], "begun", &alert(), long).await,
            Err(Failure::None)
        ));
    }
}
