//! Somebody else's program has the last word on what leaves the house, and on who may come in.
//!
//! Every test here needs a tool and is ignored by that tool's name. `.ci/run` installs them all and
//! runs `cargo test -- --ignored`; a missing tool fails the test there. By hand:
//!
//! ```text
//! apt-get install qpdf mupdf-tools poppler-utils libxml2-utils openssh-client openssh-server libdmtx0b \
//!     curl lftp rclone putty-tools proftpd-basic proftpd-mod-crypto dovecot-imapd libjsch-java default-jdk-headless nodejs npm
//! python3 -m venv target/outside-venv
//! target/outside-venv/bin/pip install -r tests/outside/requirements.txt
//! cp tests/outside/node/package*.json target/outside-node/
//! npm ci --prefix target/outside-node --omit=optional --ignore-scripts
//! export KUORI_NODE_PATH=target/outside-node/node_modules
//! KUORI_PYTHON=target/outside-venv/bin/python cargo test -- --ignored --skip corpus --skip xjdf --skip suomifi::official
//! ```
//!
//! `corpus` reads folders of PDFs and of ZIPs that are no part of the repository, so `.ci/run` skips
//! it by name:
//!
//! ```text
//! KUORI_CORPUS_PDF=<folder> KUORI_CORPUS_ZIP=<folder> cargo test --test kuori -- --ignored corpus
//! ```
//!
//! `xjdf` reads the schema of XJDF, whose licence is not ours to hand on, so `.ci/run` skips it too:
//!
//! ```text
//! KUORI_XJDF_SCHEMA=<xjdf.xsd of github.com/cip4/XJDF-Schema> cargo test --test kuori -- --ignored xjdf
//! ```
//!
//! `suomifi::official` reads the description of the REST API of Suomi.fi Messages, which is skipped for
//! the same reason:
//!
//! ```text
//! KUORI_SUOMIFI_OPENAPI=<its YAML file> cargo test --test kuori -- --ignored suomifi::official
//! ```

mod audit_ssh;
mod bundles;
mod corpus;
mod corpus_zips;
mod decrypted;
mod dovecot;
mod flattened;
mod mail;
mod marks;
mod metrics;
mod notices;
mod omr;
mod pages;
mod picture;
mod print_run;
mod receipts;
mod samples;
pub(crate) mod sftp;
mod suomifi;
mod tools;
mod wrapped;
