//! The append-only file.

/// The commands in an append-only file.
pub fn parse(mut bytes: &[u8]) -> Vec<Vec<String>> {
    fn line<'a>(bytes: &mut &'a [u8]) -> &'a str {
        let end = bytes.windows(2).position(|two| two == b"\r\n").expect("a line");
        let (line, rest) = bytes.split_at(end);
        *bytes = &rest[2..];
        std::str::from_utf8(line).expect("a header")
    }
    let mut commands = Vec::new();
    while !bytes.is_empty() {
        let header = line(&mut bytes);
        let Some(count) = header.strip_prefix('*') else { continue };
        let command = (0..count.parse().expect("a count")).map(|_: usize| {
            let length: usize = line(&mut bytes)[1..].parse().expect("a length");
            let (argument, rest) = bytes.split_at(length);
            bytes = &rest[2..];
            argument.escape_ascii().to_string()
        });
        commands.push(command.collect());
    }
    commands
}
