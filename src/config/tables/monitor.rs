use std::{net::SocketAddr, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::{key_path::KeyPath, problem::Problems},
    monitor::{HttpLimits, Settings},
};

/// Where Prometheus and probes may ask, over HTTP: `/metrics`, `/healthz`, `/readyz`. Nobody logs in,
/// and nothing is encrypted: what is told names senders and places, and nothing of a person.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MonitorTable {
    /// Address and port, such as `127.0.0.1:9464`. Port 0 lets the system choose. Default: nobody may
    /// ask.
    listen: Option<String>,
    /// Whether `listen` may be an address that other machines reach.
    allow_other_machines: bool,
    /// Connections at once; each is for one request.
    #[schemars(range(min = 1, max = 1024))]
    max_connections: usize,
    /// Size of a request's line and headers.
    #[schemars(range(min = 8192, max = 1_048_576))]
    max_request_bytes: usize,
    /// Time from the connection to the end of its answer.
    #[schemars(range(min = 1, max = 600))]
    request_secs: u32,
    /// Who asks within this long after another gets the same answer.
    refresh_secs: u32,
    /// The process counts as stuck when its steps have gone no round for this long.
    #[schemars(range(min = 10))]
    unhealthy_after_secs: u32,
}

impl Default for MonitorTable {
    fn default() -> Self {
        let limits = HttpLimits::default();
        let secs = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        Self {
            listen: None,
            allow_other_machines: false,
            max_connections: limits.max_connections,
            max_request_bytes: limits.max_request_bytes,
            request_secs: secs(limits.request_time),
            refresh_secs: secs(limits.refresh),
            unhealthy_after_secs: secs(limits.unhealthy_after),
        }
    }
}

impl MonitorTable {
    pub(super) fn read(self, at: &KeyPath, problems: &mut Problems) -> Settings {
        let secs = |secs: u32| Duration::from_secs(secs.into());
        Settings {
            listen: self.listen(at, problems),
            limits: HttpLimits {
                max_connections: self.max_connections,
                max_request_bytes: self.max_request_bytes,
                request_time: secs(self.request_secs),
                refresh: secs(self.refresh_secs),
                unhealthy_after: secs(self.unhealthy_after_secs),
            },
        }
    }

    fn listen(&self, at: &KeyPath, problems: &mut Problems) -> Option<SocketAddr> {
        let at = at.key("listen");
        let Ok(address) = self.listen.as_ref()?.parse::<SocketAddr>() else {
            let message = "must be an address and a port such as `127.0.0.1:9464`";
            problems.add(&at, message);
            return None;
        };
        if !address.ip().is_loopback() && !self.allow_other_machines {
            let message = "can be reached by other machines, and nobody has to log in; write \
                           `allow_other_machines = true` where that is meant";
            problems.add(&at, message);
        }
        Some(address)
    }
}
