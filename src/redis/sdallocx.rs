//! `sdallocx` for the C code that is linked into the module.
//!
//! aws-lc allocates with `malloc` and frees with `sdallocx` if there is one. Valkey from 8.1 on loads modules with
//! RTLD_DEEPBIND: their `malloc` is then the C library's, which has no `sdallocx`, so that it would be taken from the
//! jemalloc that Debian's Valkey is linked with. Memory of the one allocator given to the other crashes the server within
//! a few hundred credentials. This one frees with the `free` that goes with the `malloc`.

use std::ffi::{c_int, c_void};

unsafe extern "C" {
    fn free(memory: *mut c_void);
}

/// # Safety
/// `memory` came from `malloc` or is null, and is used no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sdallocx(memory: *mut c_void, _size: usize, _flags: c_int) {
    // SAFETY: the caller's contract.
    unsafe { free(memory) }
}
