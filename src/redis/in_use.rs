//! Whether the module is in use: from then on the server must not unload it.

use std::sync::atomic::{AtomicBool, Ordering};

static IN_USE: AtomicBool = AtomicBool::new(false);

/// Notes that a command of the module was called, or that the server's event loop ran since the module was loaded.
pub fn note() {
    IN_USE.store(true, Ordering::Relaxed);
}

pub fn is_in_use() -> bool {
    IN_USE.load(Ordering::Relaxed)
}
