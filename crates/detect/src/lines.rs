//! A stream cut into lines of bounded length.

use std::io::{self, BufRead};

/// Bytes of one line. Real events run to some 10 kB, events with payloads to 100 kB; what is longer is refused and skipped, not kept in memory.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;

/// One line without its end, or that it was too long.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The bytes, without `\n` and a `\r` before it.
    Text(&'a [u8]),
    /// Longer than [`LINE_BYTES_MAX`]; so many bytes were skipped.
    TooLong(u64),
}

/// Reads lines from `input`.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    number: u64,
    byte_order_mark_passed: bool,
}

impl<R: BufRead> Lines<R> {
    /// Over an input.
    pub fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), number: 0, byte_order_mark_passed: false }
    }

    /// The number of the line that was read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line, `None` at the end.
    ///
    /// # Errors
    /// Those of the input.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let mut skipped: u64 = 0;
        let mut ended = false;
        let mut any = false;
        while !ended {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            any = true;
            let end = chunk.iter().position(|b| *b == b'\n');
            ended = end.is_some();
            let text = end.and_then(|end| chunk.get(..end)).unwrap_or(chunk);
            if skipped > 0 || self.buffer.len() + text.len() > LINE_BYTES_MAX {
                skipped += (self.buffer.len() + text.len()) as u64;
                self.buffer.clear();
            } else {
                self.buffer.extend_from_slice(text);
            }
            let used = text.len() + usize::from(ended);
            self.input.consume(used);
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        if skipped > 0 {
            return Ok(Some(Line::TooLong(skipped)));
        }
        let mut text = self.buffer.as_slice();
        if !std::mem::replace(&mut self.byte_order_mark_passed, true) {
            text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        }
        Ok(Some(Line::Text(text.strip_suffix(b"\r").unwrap_or(text))))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn lines(input: &[u8], capacity: usize) -> Vec<Result<Vec<u8>, u64>> {
        let mut lines = Lines::new(io::BufReader::with_capacity(capacity, input));
        let mut all = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            all.push(match line {
                Line::Text(text) => Ok(text.to_vec()),
                Line::TooLong(bytes) => Err(bytes),
            });
        }
        assert_eq!(lines.number(), all.len() as u64);
        all
    }

    #[test]
    fn ends_of_lines_and_the_byte_order_mark_do_not_belong_to_a_line() {
        for capacity in [1, 3, 64] {
            let found = lines(b"\xef\xbb\xbfa\r\n\nb\nc", capacity);
            assert_eq!(found, [Ok(b"a".to_vec()), Ok(vec![]), Ok(b"b".to_vec()), Ok(b"c".to_vec())]);
        }
        assert_eq!(lines(b"", 8), []);
    }

    #[test]
    fn a_line_at_the_limit_is_read_and_one_byte_more_is_skipped() {
        let mut input = vec![b'x'; LINE_BYTES_MAX];
        input.push(b'\n');
        input.extend(vec![b'y'; LINE_BYTES_MAX + 1]);
        input.extend(b"\nz\n");
        let found = lines(&input, 8192);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].as_ref().map(Vec::len), Ok(LINE_BYTES_MAX));
        assert_eq!(found[1], Err(LINE_BYTES_MAX as u64 + 1));
        assert_eq!(found[2], Ok(b"z".to_vec()));
    }
}
