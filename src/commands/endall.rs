//! `SH.ENDALL name [EXCEPT tkn | ONLY tkn [tkn ...]]`
//!
//! Ends the listed sessions of a name: all, all but one, or those of the given tokens. Returns the tokens of the ended
//! sessions. Tokens of another name's sessions are left out.

use super::Command;
use crate::protocol::values::unknown_option;
use crate::protocol::{Args, Blob, Error, Form, Status};
use crate::redis::Bytes;
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::store::ending::Endings;
use crate::store::index::{self, Members};
use crate::store::{Access, Store, Stored, filing, keys, record};
use serde::Serialize;
use sessions_core::session::{Flags, Token};
use smallvec::SmallVec;

pub struct EndAll;

/// The token of a session that was ended, for the reply.
pub type Ended = SmallVec<[u8; Token::LEN]>;

/// Which sessions of the name end.
pub enum Which<'a> {
    /// All listed sessions, except this one.
    Listed { but: Option<Bytes<'a>> },
    /// The sessions of these tokens, as far as they are this name's: a page that posts tokens can never end the session of
    /// another user.
    Only(&'a [Bytes<'a>]),
}

impl Command for EndAll {
    const SPEC: Spec = Spec {
        name: "SH.ENDALL",
        summary: "Ends the listed sessions of a name and returns their tokens.",
        complexity: "O(N) where N is the number of the name's listed sessions.",
        since: "0.1.0",
        min_args: 2,
        flags: "write",
        secrets: Secrets::UnlessTokens(3),
        routing: Routing::Name(KeyUse::Delete),
        args: &[
            Arg::key("name"),
            Arg::one_of("which", &[Arg::string("tkn").token("EXCEPT"), Arg::string("tkn").token("ONLY").multiple()])
                .optional(),
        ],
    };

    type Request<'a> = (Bytes<'a>, Which<'a>);

    fn parse<'a>(mut args: Args<'a>) -> Result<(Self::Request<'a>, Form), Error> {
        let name = args.name()?;
        let which = match args.next() {
            None => Which::Listed { but: None },
            Some(word) if word.eq_ignore_ascii_case(b"EXCEPT") => {
                let token = args.token()?;
                args.end()?;
                Which::Listed { but: Some(token) }
            }
            Some(word) if word.eq_ignore_ascii_case(b"ONLY") => {
                let tokens = args.tokens()?;
                if tokens.is_empty() {
                    return Err(Status::ValueMissing.because("a token is missing after ONLY"));
                }
                Which::Only(tokens)
            }
            Some(_) => return Err(unknown_option(&["EXCEPT", "ONLY"])),
        };
        Ok(((name, which), Form::Resp))
    }

    fn run<S: Store>(store: &mut S, (name, which): Self::Request<'_>) -> Result<impl Serialize, Error> {
        let index = keys::index(&name);
        store.permit((&index).into(), Access::ReadWrite)?;
        index::ensure_writable(store, &index)?;
        let all = matches!(which, Which::Listed { but: None });
        let (mut members, mut endings) = (Members::default(), Endings::default());
        match which {
            Which::Listed { but } => {
                if let Some(kept) = but
                    && flags(store, &name, kept)?.is_none()
                {
                    let reason = "the EXCEPT token is that of another name's session";
                    return Err(Status::SessionTokenInvalid.because(reason));
                }
                members = index::members(store, &name, &index, Access::ReadWrite)?;
                members.alive.retain(|listed| but.is_none_or(|kept| kept.as_bytes() != listed.token.as_ref()));
                for listed in &members.alive {
                    endings.add(store, listed.token.bytes(), listed.created.flags, Some(&name))?;
                }
            }
            Which::Only(given) => {
                for &token in given {
                    match flags(store, &name, token) {
                        Ok(Some(flags)) => endings.add(store, token, flags, Some(&name))?,
                        Ok(None) => {}
                        Err(error) if error.is(Status::SessionNotExist) || error.is(Status::SessionTokenInvalid) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        let ended = endings.apply(store);
        if all {
            index::clear(store, &index);
        } else {
            index::remove(store, &index, ended.iter().copied().chain(members.stale.iter().map(Stored::bytes)));
        }
        Ok(ended.iter().map(|token| Blob(Ended::from_slice(token))).collect::<Vec<_>>())
    }
}

/// The flags of a session, if the session has this name.
fn flags<S: Store>(store: &mut S, name: &[u8], token: Bytes<'_>) -> Result<Option<Flags>, Error> {
    if !filing::are_together(store, &token, name) {
        return Ok(None);
    }
    store.permit(token, Access::ReadWrite)?;
    let opened = record::open(store, token);
    let found = opened.map(|(key, flags)| record::is_named(&key, name).then_some(flags));
    if found.as_ref().is_err_and(|error| error.is(Status::SessionNotExist)) {
        store.ensure_not_migrating(&token)?;
    }
    found
}
