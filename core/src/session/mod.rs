//! What a session is: its token, its metadata, its lifetime and its rotations.

pub mod credentials;
pub mod event;
pub mod lifetime;
pub mod meta;
pub mod rotation;
pub mod serving;
pub mod time;
pub mod token;

pub use credentials::Credentials;
pub use event::Event;
pub use lifetime::{Expiry, Lifetime};
pub use meta::{Created, Flags, Meta};
pub use serving::Serving;
pub use time::{Millis, Seconds};
pub use token::{NewToken, Token};

/// The longest name of a session, in bytes.
pub const NAME_MAX: usize = 512;
