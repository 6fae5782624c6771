//! The SFTP server and the remote folders, each tested through the other. OpenSSH's part is in
//! `outside/sftp`.

mod accounts;
mod audit;
mod connections;
pub(crate) mod contract;
mod files;
mod hostile;
pub(crate) mod house;
pub(crate) mod line;
mod login;
mod protocol;
mod quota;
mod uploads;
mod ways_in;
