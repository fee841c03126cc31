//! The secret that all keys are derived from (HKDF, RFC 5869).

use aws_lc_rs::hkdf;

/// What a derived key is for. Each key has one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    RefreshToken,
    CookieToken,
    AntiCsrf,
    IdRefresh,
    TokenId,
    AccessToken,
    Fingerprint,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::RefreshToken => "refresh-token",
            Self::CookieToken => "cookie-token",
            Self::AntiCsrf => "anti-csrf",
            Self::IdRefresh => "id-refresh",
            Self::TokenId => "jti",
            Self::AccessToken => "access-token",
            Self::Fingerprint => "fingerprint",
        }
    }
}

/// A secret of at least 32 bytes, which must be random (RFC 8725, section 3.5).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The shortest secret, in bytes.
    pub const MIN_LEN: usize = 32;

    /// The most secrets in a file. A credential is checked with the keys of each, so each secret costs time.
    pub const MAX_IN_FILE: usize = 8;

    /// A secret of these bytes; `None` if they are fewer than [`Secret::MIN_LEN`].
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (bytes.len() >= Self::MIN_LEN).then(|| Self(bytes.to_vec()))
    }

    /// Reads the content of a file of secrets: one secret a line, without the white space around it. Empty lines and repeated
    /// secrets are ignored. The first secret signs, all verify. The error continues a sentence about the file.
    ///
    /// A file has no comments, and a line that begins with `#` is an error: as a secret it could be guessed.
    pub fn in_file(content: &[u8]) -> Result<Vec<Self>, String> {
        let lines = content.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        let mut secrets = Vec::new();
        for line in lines {
            if line.starts_with(b"#") {
                return Err("holds a line that begins with '#'; there are no comments in it".to_owned());
            }
            let secret = Self::new(line);
            let secret = secret.ok_or_else(|| format!("holds a secret of less than {} bytes", Self::MIN_LEN))?;
            if !secrets.contains(&secret) {
                secrets.push(secret);
            }
        }
        match secrets.len() {
            0 => Err("holds no secret".to_owned()),
            1..=Self::MAX_IN_FILE => Ok(secrets),
            _ => Err(format!("holds more than {} secrets", Self::MAX_IN_FILE)),
        }
    }

    /// Derives the key of a purpose, an algorithm and a database. Keys that change with time have an epoch, all others epoch 0.
    pub fn derive(&self, purpose: Purpose, algorithm: &str, database: u32, epoch: u64) -> [u8; 32] {
        let info = format!("redis-sessions|{}|{algorithm}|{database}|{epoch}", purpose.label());
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"");
        let pseudorandom = salt.extract(&self.0);
        let mut key = [0; 32];
        let filled = pseudorandom.expand(&[info.as_bytes()], hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut key));
        // HKDF fails only for more than 255 hashes of output; this is one.
        filled.expect("32 bytes of output");
        key
    }

    /// Twelve hexadecimal digits by which an operator sees that two nodes have the same secret. Nobody can derive the secret, or
    /// a key, from them.
    pub fn fingerprint(&self) -> String {
        let derived = self.derive(Purpose::Fingerprint, "HKDF-SHA256", 0, 0);
        derived[..6].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Shows the fingerprint, not the secret.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({})", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_a_secret_a_line() {
        let secret = "0123456789abcdef0123456789abcdef";
        let file = format!("\n  {secret} \r\n\n{secret}2\n");
        let secrets = Secret::in_file(file.as_bytes()).expect("secrets");
        let expected = [secret.to_owned(), format!("{secret}2")].map(|text| Secret::new(text.as_bytes()));
        assert_eq!(secrets.into_iter().map(Some).collect::<Vec<_>>(), expected);
        assert!(Secret::in_file(b"").is_err());
        assert!(Secret::in_file(b" \n\n").is_err());
        assert!(Secret::in_file(format!("{secret}\nshort").as_bytes()).is_err());
        assert!(Secret::in_file(format!("# changed by Bob on the first of May\n{secret}").as_bytes()).is_err());
        let lines = |count: usize| (0..count).map(|number| format!("{secret}{number}\n")).collect::<String>();
        assert_eq!(Secret::in_file(lines(8).as_bytes()).map(|secrets| secrets.len()), Ok(8));
        assert_eq!(Secret::in_file(lines(9).as_bytes()), Err("holds more than 8 secrets".to_owned()));
        let twice = Secret::in_file(format!("{secret}\n{secret}").as_bytes());
        assert_eq!(twice.map(|secrets| secrets.len()), Ok(1), "a repeated secret counts once");
    }

    #[test]
    fn each_purpose_algorithm_database_and_epoch_has_a_key_of_its_own() {
        let secret = Secret::new(&[7; 32]).expect("a secret");
        let key = secret.derive(Purpose::RefreshToken, "HS256", 0, 0);
        assert_ne!(key, secret.derive(Purpose::CookieToken, "HS256", 0, 0));
        assert_ne!(key, secret.derive(Purpose::RefreshToken, "EdDSA", 0, 0));
        assert_ne!(key, secret.derive(Purpose::RefreshToken, "HS256", 1, 0));
        assert_ne!(key, secret.derive(Purpose::RefreshToken, "HS256", 0, 1));
        assert_ne!(key, Secret::new(&[8; 32]).expect("a secret").derive(Purpose::RefreshToken, "HS256", 0, 0));
    }

    #[test]
    fn debug_output_does_not_show_the_secret() {
        let secret = Secret::new(b"0123456789abcdef0123456789abcdef").expect("a secret");
        assert!(!format!("{secret:?}").contains("0123"));
    }
}
