//! Strings of the server.

use super::api::api;
use redis_module::raw;
use smallvec::SmallVec;
use std::cell::OnceCell;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::{self, NonNull};

/// A borrowed string of the server.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Handle<'a> {
    raw: NonNull<raw::RedisModuleString>,
    owner: PhantomData<&'a ()>,
}

// SAFETY: another thread can only read the bytes, which nobody changes. All that counts references to the string takes a
// context or an open key, and those exist only where the server's lock is held.
unsafe impl Send for Handle<'_> {}
// SAFETY: as for `Send`.
unsafe impl Sync for Handle<'_> {}

impl<'a> Handle<'a> {
    /// # Safety
    /// `raw` is a string that lives, unchanged, as long as `'a`.
    pub(super) unsafe fn new(raw: NonNull<raw::RedisModuleString>) -> Self {
        Self { raw, owner: PhantomData }
    }

    pub(super) fn as_ptr(self) -> *mut raw::RedisModuleString {
        self.raw.as_ptr()
    }

    pub fn as_bytes(self) -> &'a [u8] {
        let mut length = 0;
        // SAFETY: the string lives as long as 'a.
        let start = unsafe { api!(RedisModule_StringPtrLen)(self.as_ptr(), &mut length) };
        // SAFETY: the server returns the start and length of the string's own buffer, which lives, unchanged, as long as 'a.
        unsafe { std::slice::from_raw_parts(start.cast(), length) }
    }
}

/// A string of the server that this value frees.
pub struct Owned(NonNull<raw::RedisModuleString>);

impl Owned {
    /// # Safety
    /// The caller hands over its reference to `raw`, a string that is in no context's automatic memory.
    pub(super) unsafe fn from_raw(raw: *mut raw::RedisModuleString) -> Option<Self> {
        NonNull::new(raw).map(Self)
    }

    /// Keeps the string for ever: for strings that are made once and used until the server stops.
    pub fn leak(self) -> Handle<'static> {
        let string = ManuallyDrop::new(self);
        // SAFETY: nobody frees the string any more.
        unsafe { Handle::new(string.0) }
    }

    /// Hands the string over to the server, which frees it.
    pub(super) fn into_raw(self) -> *mut raw::RedisModuleString {
        ManuallyDrop::new(self).0.as_ptr()
    }

    pub fn handle(&self) -> Handle<'_> {
        // SAFETY: the string lives as long as `self`, which this borrows.
        unsafe { Handle::new(self.0) }
    }
}

impl From<&[u8]> for Owned {
    fn from(bytes: &[u8]) -> Self {
        // SAFETY: the server copies the bytes. Without a context, the new string is in no automatic memory.
        let raw = unsafe { api!(RedisModule_CreateString)(ptr::null_mut(), bytes.as_ptr().cast(), bytes.len()) };
        // The server aborts when it is out of memory, and never returns null.
        Self(NonNull::new(raw).expect("a created string"))
    }
}

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        self.handle().as_bytes()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: this value owns one reference, and gives it back here, once.
        unsafe { api!(RedisModule_FreeString)(ptr::null_mut(), self.0.as_ptr()) }
    }
}

/// Borrowed bytes, with the server's string of them if there is one. So a client's argument is passed on without a copy.
#[derive(Clone, Copy)]
pub struct Bytes<'a> {
    bytes: &'a [u8],
    origin: Origin<'a>,
}

#[derive(Clone, Copy)]
enum Origin<'a> {
    /// The bytes are in the module's own memory.
    Module,
    Server(Handle<'a>),
    KeyName(&'a KeyName),
}

impl<'a> Bytes<'a> {
    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The server's string of these bytes. This makes one if there is none.
    pub fn server_string(self) -> ServerString<'a> {
        match self.origin {
            Origin::Module => ServerString::Owned(Owned::from(self.bytes)),
            Origin::Server(handle) => ServerString::Borrowed(handle),
            Origin::KeyName(name) => ServerString::Borrowed(name.handle()),
        }
    }
}

impl<'a> From<Handle<'a>> for Bytes<'a> {
    fn from(handle: Handle<'a>) -> Self {
        Self { bytes: handle.as_bytes(), origin: Origin::Server(handle) }
    }
}

impl<'a> From<&'a KeyName> for Bytes<'a> {
    fn from(name: &'a KeyName) -> Self {
        Self { bytes: &name.bytes, origin: Origin::KeyName(name) }
    }
}

impl<'a> From<&'a [u8]> for Bytes<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self { bytes, origin: Origin::Module }
    }
}

impl Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

/// Bytes of a name or of a key's name: without an allocation unless the name is longer than usual.
pub type NameBytes = SmallVec<[u8; 36]>;

/// The name of a key that the module makes up. The server's string of it is made once, when it is first needed: a test
/// without a server never needs it.
pub struct KeyName {
    bytes: NameBytes,
    string: OnceCell<Owned>,
}

impl KeyName {
    fn handle(&self) -> Handle<'_> {
        self.string.get_or_init(|| Owned::from(self.bytes.as_slice())).handle()
    }
}

impl From<NameBytes> for KeyName {
    fn from(bytes: NameBytes) -> Self {
        Self { bytes, string: OnceCell::new() }
    }
}

impl From<&[u8]> for KeyName {
    fn from(bytes: &[u8]) -> Self {
        Self::from(NameBytes::from_slice(bytes))
    }
}

impl AsRef<[u8]> for KeyName {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A string of the server that is borrowed, or was made for one call.
pub enum ServerString<'a> {
    Borrowed(Handle<'a>),
    Owned(Owned),
}

impl ServerString<'_> {
    pub fn handle(&self) -> Handle<'_> {
        match self {
            Self::Borrowed(handle) => *handle,
            Self::Owned(owned) => owned.handle(),
        }
    }
}
