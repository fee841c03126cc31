//! All memory of the module is the server's: it counts in INFO memory and against maxmemory. Not in unit tests, where there
//! is no server.
//!
//! That of the crypto library must be, too. Left to itself it pairs libc's `malloc` with jemalloc's `sdallocx` where a
//! server that isolates the symbols of modules (Valkey 8.1 and later) is linked to jemalloc as a shared library, as
//! Debian's is: the first free then crashes the server.

use redis_module::alloc::RedisAlloc;
use std::alloc::{GlobalAlloc, Layout};
use std::ffi::c_void;
use std::ptr;

#[global_allocator]
static ALLOCATOR: RedisAlloc = RedisAlloc;

/// What stands before each block of the crypto library: its size, and room that keeps the block aligned for anything.
const HEADER: usize = 16;

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEADER)?, HEADER).ok()
}

/// The hook that AWS-LC has for allocating.
///
/// # Safety
/// Called by AWS-LC, once the server has handed out its allocator.
#[unsafe(no_mangle)]
unsafe extern "C" fn OPENSSL_memory_alloc(size: usize) -> *mut c_void {
    let Some(layout) = layout(size) else { return ptr::null_mut() };
    // SAFETY: the layout is not empty.
    let block = unsafe { ALLOCATOR.alloc(layout) };
    if block.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the header is aligned and within the block.
    unsafe { block.cast::<usize>().write(size) };
    // SAFETY: the header is within the block.
    unsafe { block.add(HEADER) }.cast()
}

/// The hook that AWS-LC has for freeing. It leaves no secret behind.
///
/// # Safety
/// Called by AWS-LC with what it was handed by `OPENSSL_memory_alloc`, not null.
#[unsafe(no_mangle)]
unsafe extern "C" fn OPENSSL_memory_free(memory: *mut c_void) {
    // SAFETY: the caller's contract.
    let size = unsafe { OPENSSL_memory_get_size(memory) };
    // SAFETY: the block has that size.
    unsafe { memory.cast::<u8>().write_bytes(0, size) };
    // SAFETY: the header stands before the block.
    let block = unsafe { memory.cast::<u8>().sub(HEADER) };
    if let Some(layout) = layout(size) {
        // SAFETY: allocated above with this layout.
        unsafe { ALLOCATOR.dealloc(block, layout) };
    }
}

/// The hook that AWS-LC has for the size of a block.
///
/// # Safety
/// Called by AWS-LC with what it was handed by `OPENSSL_memory_alloc`, not null.
#[unsafe(no_mangle)]
unsafe extern "C" fn OPENSSL_memory_get_size(memory: *mut c_void) -> usize {
    // SAFETY: the header stands before the block.
    let header = unsafe { memory.cast::<u8>().sub(HEADER) };
    // SAFETY: the header is aligned and was written when the block was allocated.
    unsafe { header.cast::<usize>().read() }
}

/// The hook that AWS-LC has for resizing.
///
/// # Safety
/// Called by AWS-LC with what it was handed by `OPENSSL_memory_alloc`, not null.
#[unsafe(no_mangle)]
unsafe extern "C" fn OPENSSL_memory_realloc(memory: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: as this function's.
    let moved = unsafe { OPENSSL_memory_alloc(size) };
    if moved.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the caller's contract.
    let old_size = unsafe { OPENSSL_memory_get_size(memory) };
    // SAFETY: both blocks have at least that many bytes, and the new one is apart from the old.
    unsafe { ptr::copy_nonoverlapping(memory.cast::<u8>(), moved.cast::<u8>(), old_size.min(size)) };
    // SAFETY: the caller's contract.
    unsafe { OPENSSL_memory_free(memory) };
    moved
}
