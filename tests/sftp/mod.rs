//! The SFTP server and the remote folders, each tested through the other and through OpenSSH.

mod audit;
mod contract;
mod files;
mod house;
mod login;
mod openssh;
mod protocol;
