//! Watches the house: what is in trouble, whom to tell, and what others may ask over HTTP.
//!
//! Comes in: where everything is ([`HouseStatus`]) and what has been counted. Goes out: troubles with
//! what to type, alerts in the log and to a command, and answers to `/metrics`, `/healthz` and
//! `/readyz`. The only room that serves HTTP. It changes nothing but which alerts are on; it sees no
//! message, and no name, address or identity code.

mod command;
mod desk;
mod exposition;
mod gauges;
mod http;
mod reference;
mod rules;
mod settings;
mod trouble;
mod watch;

pub use command::{Failure, page};
pub use desk::{Desk, Vitals};
pub use http::{Door, Error};
pub use reference::reference;
pub use rules::troubles;
pub use settings::{AlertSettings, AlertTimes, HttpLimits, Settings};
pub use trouble::{Code, Trouble, Weight};
pub use watch::Watch;

pub use crate::store::HouseStatus;
