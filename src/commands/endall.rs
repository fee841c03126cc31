//! `SH.ENDALL name [EXCEPT tkn | ONLY tkn [tkn ...]]`
//!
//! Ends all listed sessions of a name, all but one, or only those of the given ones that are this name's; and answers which.

use super::Command;
use crate::protocol::args::unknown_option;
use crate::protocol::{Args, Blob, Error, Form, Status};
use crate::redis::command::{Arg, KeyUse, Routing, Secrets, Spec};
use crate::redis::{Bytes, Name};
use crate::slot;
use crate::store::index::{self, Roll};
use crate::store::sessions::{self, Ending};
use crate::store::{Access, Mode, Store, keys};
use serde::Serialize;

pub struct EndAll;

/// Which of the sessions.
pub enum Which<'a> {
    All,
    Except(Bytes<'a>),
    /// A page that names sessions to end can never end another user's.
    Only(&'a [Bytes<'a>]),
}

impl Command for EndAll {
    const SPEC: Spec = Spec {
        name: "SH.ENDALL",
        summary: "Ends the listed sessions of a name and returns their tokens.",
        complexity: "O(N log N) where N is the number of the name's listed sessions.",
        since: "0.1.0",
        min_args: 2,
        flags: "write",
        secrets: Secrets::None,
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
            None => Which::All,
            Some(word) if word.eq_ignore_ascii_case(b"EXCEPT") => {
                let token = args.token()?;
                args.end()?;
                Which::Except(token)
            }
            Some(word) if word.eq_ignore_ascii_case(b"ONLY") => {
                let tokens = args.tokens()?;
                if tokens.is_empty() {
                    return Err(Status::ValueMissing.because("a token is missing after ONLY"));
                }
                Which::Only(tokens)
            }
            Some(word) => return Err(unknown_option(&word)),
        };
        Ok(((name, which), Form::Resp))
    }

    fn run<S: Store>(store: &mut S, (name, which): Self::Request<'_>) -> Result<impl Serialize, Error> {
        let index = keys::index(&name);
        store.permit(&[((&index).into(), Access::ReadWrite)])?;
        index::prepare(store, &index)?;
        let all = matches!(which, Which::All);
        let Roll { alive, gone } = match which {
            Which::All => index::roll(store, &name, &index)?,
            Which::Except(kept) => {
                if !is_of(store, &name, kept)? {
                    return Err(
                        Status::SessionTokenInvalid.because("the EXCEPT token is that of another name's session")
                    );
                }
                let mut roll = index::roll(store, &name, &index)?;
                roll.alive.retain(|token| token.as_ref() != kept.as_bytes());
                roll
            }
            Which::Only(given) => {
                let mut own = Vec::new();
                for &token in given {
                    match is_of(store, &name, token) {
                        Ok(true) => own.push(Name::from(token.as_bytes())),
                        Ok(false) => {}
                        Err(error) if error == Error::no_session() || error == Error::not_a_session() => {}
                        Err(error) => return Err(error),
                    }
                }
                Roll { alive: own, gone: Vec::new() }
            }
        };
        let endings = prepare(store, &alive)?;
        let ended = end(store, endings);
        if all {
            index::clear(store, &index);
        } else {
            index::remove(store, &index, ended.iter().copied().chain(gone.iter().map(Bytes::from)));
        }
        Ok(ended.into_iter().map(|token| Blob(token.as_bytes().to_vec())).collect::<Vec<_>>())
    }
}

/// Whether the session of this token is one of that name.
fn is_of<S: Store>(store: &mut S, name: &[u8], token: Bytes<'_>) -> Result<bool, Error> {
    if slot::of(&token) != slot::of(name) {
        return Ok(false);
    }
    sessions::permit(store, token)?;
    let named = sessions::open(store, token, Mode::Read).map(|(key, _)| sessions::is_named(&key, name));
    if named == Err(Error::no_session()) {
        store.absence_is_proof(&token)?;
    }
    named
}

/// What ending these sessions takes. Changes nothing, and asks for all permissions.
pub fn prepare<'a, S: Store>(store: &mut S, tokens: &'a [Name]) -> Result<Vec<Ending<'a>>, Error> {
    let mut endings = Vec::with_capacity(tokens.len());
    for token in tokens {
        sessions::permit(store, token.into())?;
        endings.extend(Ending::prepare(store, token.into())?);
    }
    Ok(endings)
}

/// Ends these sessions and leaves their places on the list to the caller. Answers those that lived.
pub fn end<'a, S: Store>(store: &mut S, endings: Vec<Ending<'a>>) -> Vec<Bytes<'a>> {
    endings.into_iter().filter_map(|ending| ending.apply_unlisted(store)).collect()
}
