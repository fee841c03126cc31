//! What signing would cost with RSA, as the most common access tokens are signed: RS256 with 2048 bits (RFC 7518,
//! section 3.3), by the library that the module signs with.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use std::hint::black_box;

pub struct Rsa {
    key: KeyPair,
    message: Vec<u8>,
}

impl Rsa {
    /// A new key, and what it signs.
    pub fn new(message: Vec<u8>) -> Self {
        Self { key: KeyPair::generate(KeySize::Rsa2048).expect("a key"), message }
    }

    /// Signs so many times: this thread's CPU time, in microseconds.
    pub fn sign(&self, times: usize) -> f64 {
        let random = SystemRandom::new();
        let mut signature = vec![0; self.key.public_modulus_len()];
        let before = thread_cpu();
        for _ in 0..times {
            self.key.sign(&RSA_PKCS1_SHA256, &random, &self.message, &mut signature).expect("a signature");
            black_box(&mut signature);
        }
        thread_cpu() - before
    }
}

#[allow(unsafe_code, reason = "the standard library cannot tell the CPU time of a thread")]
fn thread_cpu() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes to `time`, which lives longer than it.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(failed, 0, "the thread's clock");
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}
