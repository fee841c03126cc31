//! How the values of settings are read and shown. Each error says what was expected, after the setting's name.

use sessions_core::credentials::access::Audience;
use sessions_core::number::of_digits;
use sessions_core::session::Seconds;

/// Puts a value that was read into its place.
pub fn set<T>(place: &mut T, value: Result<T, String>) -> Result<(), String> {
    *place = value?;
    Ok(())
}

/// A number of digits alone: no sign, no unit. `None` outside `least..=most`.
pub fn number(text: &str, least: u32, most: u32) -> Option<u32> {
    of_digits(text.as_bytes()).filter(|number| (least..=most).contains(number))
}

/// A number of seconds in `least..=most`.
pub fn seconds(text: &str, least: u32, most: u32) -> Result<Seconds, String> {
    let number = number(text, least, most);
    number.map(Seconds).ok_or_else(|| format!("must be a number of seconds from {least} to {most}"))
}

/// `yes` or `no`.
pub fn flag(text: &str) -> Result<bool, String> {
    choice(text, &[(true, "yes"), (false, "no")])
}

pub fn shown_flag(flag: bool) -> String {
    if flag { "yes" } else { "no" }.to_owned()
}

/// The value of one of these names, in upper or lower case.
pub fn choice<T: Copy>(text: &str, named: &[(T, &str)]) -> Result<T, String> {
    let found = named.iter().find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(value, _)| *value);
    let names = || named.iter().map(|(_, name)| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("must be one of {}", names()))
}

/// Printable ASCII that does not end a cookie's attribute (RFC 6265, section 4.1.1), without the quotes and backslashes that
/// Valkey 8.1 writes unescaped into its configuration file. Empty text is `None`.
pub fn plain(text: &str) -> Result<Option<String>, String> {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b';' | b',' | b'"' | b'\\');
    if !text.bytes().all(allowed) {
        return Err("must be printable ASCII without blanks and without the characters ; , \" \\".to_owned());
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// Text for a claim, of at most [`Audience::MAX_LEN`] bytes. Empty text is `None`.
pub fn claim(text: &str) -> Result<Option<String>, String> {
    if text.len() > Audience::MAX_LEN {
        return Err(format!("must be at most {} characters long", Audience::MAX_LEN));
    }
    plain(text)
}

/// The path of a cookie.
pub fn path(text: &str) -> Result<String, String> {
    plain(text)?.filter(|path| path.starts_with('/')).ok_or_else(|| "must begin with '/'".to_owned())
}
