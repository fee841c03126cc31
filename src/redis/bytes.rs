//! Strings of the server.

use super::api::api;
use redis_module::raw;
use smallvec::SmallVec;
use std::cell::OnceCell;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::{self, NonNull};

/// A string of the server, borrowed from whoever keeps it alive.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Handle<'a> {
    raw: NonNull<raw::RedisModuleString>,
    keeper: PhantomData<&'a ()>,
}

impl<'a> Handle<'a> {
    /// # Safety
    /// `raw` is a string that lives, unchanged, as long as `'a`.
    pub(super) unsafe fn new(raw: NonNull<raw::RedisModuleString>) -> Self {
        Self { raw, keeper: PhantomData }
    }

    pub(super) fn as_ptr(self) -> *mut raw::RedisModuleString {
        self.raw.as_ptr()
    }

    pub fn as_bytes(self) -> &'a [u8] {
        let mut length = 0;
        // SAFETY: the string lives as long as 'a.
        let start = unsafe { api!(RedisModule_StringPtrLen)(self.as_ptr(), &mut length) };
        // SAFETY: the server answers with the start and length of the string's own buffer, which nobody changes while
        // the string is borrowed.
        unsafe { std::slice::from_raw_parts(start.cast(), length) }
    }
}

/// A string of the server that is ours to free.
pub struct Owned(NonNull<raw::RedisModuleString>);

impl Owned {
    /// # Safety
    /// The caller hands over its reference to `raw`, a string that is in no context's automatic memory.
    pub(super) unsafe fn from_raw(raw: *mut raw::RedisModuleString) -> Option<Self> {
        NonNull::new(raw).map(Self)
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
        // SAFETY: without a context the new string is in nobody's automatic memory; the server copies the bytes.
        let raw = unsafe { api!(RedisModule_CreateString)(ptr::null_mut(), bytes.as_ptr().cast(), bytes.len()) };
        // The server aborts when it is out of memory; it never answers with null.
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
        // SAFETY: this is the one reference that this value owns.
        unsafe { api!(RedisModule_FreeString)(ptr::null_mut(), self.0.as_ptr()) }
    }
}

/// A string that is made once and kept for as long as the module is loaded.
pub struct Static(Owned);

// SAFETY: the string is only ever touched on the server's main thread, as everything in this folder.
unsafe impl Send for Static {}
// SAFETY: as above.
unsafe impl Sync for Static {}

impl From<Owned> for Static {
    fn from(owned: Owned) -> Self {
        Self(owned)
    }
}

impl Static {
    pub fn handle(&self) -> Handle<'_> {
        self.0.handle()
    }
}

/// Bytes, with the server's own string of them where there is one: an argument of a client is passed on uncopied.
#[derive(Clone, Copy)]
pub struct Bytes<'a> {
    bytes: &'a [u8],
    origin: Origin<'a>,
}

#[derive(Clone, Copy)]
enum Origin<'a> {
    Elsewhere,
    Server(Handle<'a>),
    Name(&'a Name),
}

impl<'a> Bytes<'a> {
    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The server's string of these bytes, made now if there is none.
    pub fn to_string(self) -> Text<'a> {
        match self.origin {
            Origin::Elsewhere => Text::Owned(Owned::from(self.bytes)),
            Origin::Server(handle) => Text::Borrowed(handle),
            Origin::Name(name) => Text::Borrowed(name.handle()),
        }
    }
}

impl<'a> From<Handle<'a>> for Bytes<'a> {
    fn from(handle: Handle<'a>) -> Self {
        Self { bytes: handle.as_bytes(), origin: Origin::Server(handle) }
    }
}

impl<'a> From<&'a Name> for Bytes<'a> {
    fn from(name: &'a Name) -> Self {
        Self { bytes: &name.bytes, origin: Origin::Name(name) }
    }
}

impl<'a> From<&'a [u8]> for Bytes<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self { bytes, origin: Origin::Elsewhere }
    }
}

impl Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

/// Room for the names of all keys but those of names longer than usual.
pub type NameBytes = SmallVec<[u8; 36]>;

/// The name of a key that the module makes up. The server's string of it is made once, when it is first needed.
pub struct Name {
    bytes: NameBytes,
    string: OnceCell<Owned>,
}

impl Name {
    fn handle(&self) -> Handle<'_> {
        self.string.get_or_init(|| Owned::from(self.bytes.as_slice())).handle()
    }
}

impl From<NameBytes> for Name {
    fn from(bytes: NameBytes) -> Self {
        Self { bytes, string: OnceCell::new() }
    }
}

impl From<&[u8]> for Name {
    fn from(bytes: &[u8]) -> Self {
        Self::from(NameBytes::from_slice(bytes))
    }
}

impl AsRef<[u8]> for Name {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A string of the server that may have been made for the occasion.
pub enum Text<'a> {
    Borrowed(Handle<'a>),
    Owned(Owned),
}

impl Text<'_> {
    pub fn handle(&self) -> Handle<'_> {
        match self {
            Self::Borrowed(handle) => *handle,
            Self::Owned(owned) => owned.handle(),
        }
    }
}
