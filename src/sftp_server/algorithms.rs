use std::{borrow::Cow, time::Duration};

use russh::{
    MethodKind, MethodSet, Preferred, SshId, cipher, compression,
    kex::{
        self,
        dh::groups::{DH_GROUP14, DH_GROUP16, DhGroup},
    },
    keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKey},
    server,
};

use super::Settings;

/// Longest message of data that a client may send: fewer of them cost less, and the SSH library
/// complains of more.
pub(super) const MAX_MESSAGE_BYTES: u32 = 65_535;

/// Messages that the SSH library holds for a session before it stops reading from the network:
/// what a client that is faster than our disk costs in memory.
const CHANNEL_BUFFER_MESSAGES: usize = 16;

/// Bytes that a client may have on the way, which bounds its rate on a long line. They cost no
/// memory here: what we do not take stays in the network.
const WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// What some account wants that the others do without.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    pub(super) passwords: bool,
    pub(super) sha1_rsa: bool,
}

/// How the SSH library is to speak on new connections.
pub(super) fn ssh_config(
    settings: &Settings,
    keys: Vec<PrivateKey>,
    wanted: Wanted,
) -> server::Config {
    server::Config {
        server_id: SshId::Standard(Cow::Borrowed("SSH-2.0-Kuori")),
        methods: methods(wanted),
        // Every client asks first, with the method `none`, which methods there are.
        auth_rejection_time_initial: Some(Duration::ZERO),
        // That question counts as a try here; `Login` counts the others.
        max_auth_attempts: settings.login_tries.saturating_add(1),
        keys,
        window_size: WINDOW_BYTES,
        maximum_packet_size: MAX_MESSAGE_BYTES,
        channel_buffer_size: CHANNEL_BUFFER_MESSAGES,
        preferred: preferred(wanted),
        inactivity_timeout: Some(Duration::from_secs(settings.idle_secs)),
        nodelay: true,
        ..server::Config::default()
    }
}

/// Keyboard-interactive stays off: it lets a stranger make the server hold what it sent.
pub(super) fn methods(wanted: Wanted) -> MethodSet {
    let mut methods = MethodSet::from([MethodKind::PublicKey].as_slice());
    if wanted.passwords {
        methods.push(MethodKind::Password);
    }
    methods
}

/// OpenSSH's defaults, with AES-GCM first: it costs a third less where the processor has AES.
/// No CBC, no SHA-1, no compression, and no group over 4096 bits: one exchange in 8192 bits costs a
/// stranger nothing and us a tenth of a second. The last names of `kex` are no algorithms: they switch on
/// `server-sig-algs` (RFC 8308) and the strict key exchange that stops Terrapin (CVE-2023-48795).
fn preferred(wanted: Wanted) -> Preferred {
    Preferred {
        kex: Cow::Borrowed(&[
            kex::MLKEM768X25519_SHA256,
            kex::CURVE25519,
            kex::CURVE25519_PRE_RFC_8731,
            // Old Java clients (`JSch` 0.1.55) have none of the above.
            kex::DH_GEX_SHA256,
            kex::DH_G16_SHA512,
            kex::DH_G14_SHA256,
            kex::EXTENSION_SUPPORT_AS_SERVER,
            kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
        ]),
        key: Cow::Owned(signatures(wanted)),
        cipher: Cow::Borrowed(&[
            cipher::AES_256_GCM,
            cipher::AES_128_GCM,
            cipher::CHACHA20_POLY1305,
            cipher::AES_256_CTR,
            cipher::AES_192_CTR,
            cipher::AES_128_CTR,
        ]),
        compression: Cow::Borrowed(&[compression::NONE]),
        ..Preferred::DEFAULT
    }
}

/// For host keys and for those of users alike.
fn signatures(wanted: Wanted) -> Vec<Algorithm> {
    let ecdsa = |curve| Algorithm::Ecdsa { curve };
    let rsa = |hash| Algorithm::Rsa { hash };
    let mut signatures = vec![
        Algorithm::Ed25519,
        ecdsa(EcdsaCurve::NistP256),
        ecdsa(EcdsaCurve::NistP384),
        ecdsa(EcdsaCurve::NistP521),
        rsa(Some(HashAlg::Sha512)),
        rsa(Some(HashAlg::Sha256)),
    ];
    if wanted.sha1_rsa {
        signatures.push(rsa(None));
    }
    signatures
}

/// The group of a group exchange (RFC 4419): of 4096 bits, or of 2048 where the client wants less.
pub(super) fn group(min: usize, preferred: usize, max: usize) -> Option<DhGroup> {
    let fits = |group: &DhGroup| (min..=max).contains(&group.bit_size());
    let mut by_size = [DH_GROUP14, DH_GROUP16];
    if preferred > DH_GROUP14.bit_size() {
        by_size.reverse();
    }
    by_size.into_iter().find(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_group_costs_more_than_one_of_4096_bits() {
        let bits = |min, preferred, max| group(min, preferred, max).map(|group| group.bit_size());
        assert_eq!(bits(2048, 8192, 8192), Some(4096));
        assert_eq!(bits(2048, 2048, 8192), Some(2048));
        assert_eq!(bits(1024, 3072, 3072), Some(2048));
        assert_eq!(bits(6144, 8192, 8192), None);
        assert_eq!(bits(1024, 1024, 1024), None);
    }

    #[test]
    fn sha1_signatures_and_passwords_are_offered_only_where_an_account_wants_them() {
        let sha1 = Algorithm::Rsa { hash: None };
        assert!(!signatures(Wanted::default()).contains(&sha1));
        assert!(!methods(Wanted::default()).contains(&MethodKind::Password));
        let all = Wanted {
            passwords: true,
            sha1_rsa: true,
        };
        assert_eq!(signatures(all).last(), Some(&sha1));
        let offered = [MethodKind::PublicKey, MethodKind::Password];
        assert_eq!(*methods(all), offered);
    }
}
