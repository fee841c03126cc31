//! Which arguments SLOWLOG and MONITOR do not show: credentials, and arguments that may be a credential in a wrong place.

use crate::redis::Bytes;
use crate::redis::command::{Routing, Secrets, Spec};
use sessions_core::session::Token;

/// The positions of the arguments to hide; 0 is the command's own name, which `arguments` do not hold.
pub fn hidden(spec: &Spec, arguments: &[Bytes<'_>]) -> impl Iterator<Item = usize> {
    (1..=arguments.len()).filter(move |&position| is_hidden(spec, arguments, position))
}

fn is_hidden(spec: &Spec, arguments: &[Bytes<'_>], position: usize) -> bool {
    let argument = arguments[position - 1].as_bytes();
    let token_is_due = match spec.routing {
        Routing::Token(_) => position == 1,
        Routing::Tokens(_) => true,
        Routing::Name(_) | Routing::Anywhere => false,
    };
    // An argument in the token's position that is no token may be a credential.
    let is_secret = match spec.secrets {
        Secrets::None => token_is_due && is_no_token(argument),
        Secrets::From(first) => position >= first || is_no_token(argument),
        Secrets::UnlessTokens(first) => position >= first && is_no_token(argument),
        Secrets::Bind => {
            let previous = arguments[..position - 1].last();
            let follows = |keyword: &str| previous.is_some_and(|word| word.eq_ignore_ascii_case(keyword.as_bytes()));
            // A JSON object of options may hold the value of BIND, in a wrong position too. A name hardly begins with `{"`.
            let options = if position == 1 { &b"{\""[..] } else { b"{" };
            let holds_options = argument.trim_ascii_start().starts_with(options);
            follows("BIND") || holds_options && !follows("DATA") && !follows("PAYLOAD")
        }
    };
    is_secret || looks_like_a_credential(argument)
}

fn is_no_token(argument: &[u8]) -> bool {
    Token::parse(argument).is_none()
}

/// Whether an argument has the form of a refresh or cookie token (a session's token with more behind it), or of an access
/// token. Other credentials have no form of their own.
fn looks_like_a_credential(argument: &[u8]) -> bool {
    let sealed = argument
        .split_at_checked(Token::LEN)
        .is_some_and(|(token, proof)| !proof.is_empty() && Token::parse(token).is_some());
    // Every JSON Web Token begins so: it is the base64url text of `{"`.
    sealed || argument.starts_with(b"eyJ") && argument.contains(&b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::Command;
    use crate::commands::check::Check;
    use crate::commands::end::End;
    use crate::commands::endall::EndAll;
    use crate::commands::get::Get;
    use crate::commands::list::List;
    use crate::commands::new::New;
    use crate::commands::set::Set;
    use crate::commands::verify::Verify;

    const TOKEN: &str = "sh:AAECAwQFBgcICQoLDA0ODw012";
    const SEALED: &str = "sh:AAECAwQFBgcICQoLDA0ODw012AAAAAJjnrIGLTuq7PwZEz_TbgMnAOx_U";
    const ACCESS: &str = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2ln";
    const ANTI_CSRF: &str = "lXQfyksPufAuZgUlx6XdGt3jKVZFH_Sr";

    /// The arguments as they are shown.
    fn shown<C: Command>(arguments: &[&'static str]) -> String {
        let bytes: Vec<_> = arguments.iter().map(|argument| Bytes::from(argument.as_bytes())).collect();
        let hidden: Vec<_> = hidden(&C::SPEC, &bytes).collect();
        let shown = |(index, argument): (usize, &&'static str)| {
            if hidden.contains(&(index + 1)) { "-" } else { *argument }
        };
        arguments.iter().enumerate().map(shown).collect::<Vec<_>>().join(" ").replace(TOKEN, "TOKEN")
    }

    #[test]
    fn what_is_in_the_place_of_a_token_is_shown_only_if_it_is_one() {
        assert_eq!(shown::<Get>(&[TOKEN, "cart", "{}"]), "TOKEN cart {}");
        for wrong in [SEALED, ACCESS, ANTI_CSRF, &TOKEN[..27], "", "alice"] {
            assert_eq!(shown::<Get>(&[wrong, "cart"]), "- cart", "{wrong}");
            assert_eq!(shown::<Set>(&[wrong, "cart", "1"]), "- cart 1", "{wrong}");
            assert_eq!(shown::<End>(&[TOKEN, wrong, TOKEN]), "TOKEN - TOKEN", "{wrong}");
            assert_eq!(shown::<EndAll>(&["alice", "ONLY", TOKEN, wrong]), "alice ONLY TOKEN -", "{wrong}");
            assert_eq!(shown::<EndAll>(&["alice", "EXCEPT", wrong]), "alice EXCEPT -", "{wrong}");
            assert_eq!(shown::<Check>(&[wrong, ACCESS]), "- -", "{wrong}");
        }
    }

    #[test]
    fn what_looks_like_a_credential_is_shown_nowhere() {
        for credential in [SEALED, ACCESS] {
            assert_eq!(shown::<List>(&[credential]), "-");
            assert_eq!(shown::<New>(&[credential, "IDLE", credential]), "- IDLE -");
            assert_eq!(shown::<EndAll>(&[credential, credential]), "- -");
            assert_eq!(shown::<Get>(&[TOKEN, credential]), "TOKEN -");
            assert_eq!(shown::<Set>(&[TOKEN, "was", credential]), "TOKEN was -");
        }
        // Names and values of their own kind are not.
        for other in [TOKEN, "eyJ", "sh:d:AAECAwQFBgcICQoLDA0ODw:012", "a.b"] {
            assert!(!looks_like_a_credential(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn where_credentials_are_due_nothing_is_shown() {
        assert_eq!(shown::<Check>(&[TOKEN, "x", "CSRF", "y", "z"]), "TOKEN - - - -");
        assert_eq!(shown::<Verify>(&[TOKEN, "CSRF"]), "- -");
    }

    #[test]
    fn of_a_new_session_the_value_of_bind_and_options_in_json_are_not_shown() {
        let bound = ["alice", "COOKIE", "bind", "key", "DATA", r#"{"a":1}"#, "PAYLOAD", "{}"];
        assert_eq!(shown::<New>(&bound), r#"alice COOKIE bind - DATA {"a":1} PAYLOAD {}"#);
        assert_eq!(shown::<New>(&["alice", r#" {"bind":"key"}"#]), "alice -");
        assert_eq!(shown::<New>(&["{alice}", "LISTED"]), "{alice} LISTED");
        // In a wrong place.
        assert_eq!(shown::<New>(&[r#"{"name":"alice","bind":"key"}"#]), "-");
        assert_eq!(shown::<New>(&["alice", "TOKENS", r#"{"bind":"key"}"#]), "alice TOKENS -");
    }
}
