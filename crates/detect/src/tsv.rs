//! Zeek's tab-separated text: a header that names separator, fields and types, then one line an event.

use serde_json::{Map, Number, Value};

/// Fields of one log; Zeek's widest have some 50.
const FIELDS_MAX: usize = 512;

/// The header of the log that is being read.
#[derive(Debug, Clone)]
pub(crate) struct Tsv {
    separator: char,
    set_separator: String,
    empty: String,
    unset: String,
    path: Option<String>,
    fields: Vec<String>,
    types: Vec<String>,
}

impl Default for Tsv {
    fn default() -> Self {
        Self {
            separator: '\t',
            set_separator: ",".to_owned(),
            empty: "(empty)".to_owned(),
            unset: "-".to_owned(),
            path: None,
            fields: Vec::new(),
            types: Vec::new(),
        }
    }
}

impl Tsv {
    /// Takes in a line of the header.
    pub(crate) fn header(&mut self, line: &str) -> Result<(), String> {
        let line = line.strip_prefix('#').unwrap_or(line);
        if let Some(separator) = line.strip_prefix("separator ") {
            // A new log may begin in the middle of the stream.
            *self = Self::default();
            let text = unescape(separator.trim());
            let mut chars = text.chars();
            self.separator = match (chars.next(), chars.next()) {
                (Some(separator), None) => separator,
                _ => return Err(format!("the separator `{}` is not one character", crate::read::cut(separator))),
            };
            return Ok(());
        }
        let (name, rest) = line.split_once(self.separator).unwrap_or((line, ""));
        let list = |rest: &str| rest.split(self.separator).map(str::to_owned).collect::<Vec<_>>();
        match name {
            "set_separator" => rest.clone_into(&mut self.set_separator),
            "empty_field" => rest.clone_into(&mut self.empty),
            "unset_field" => rest.clone_into(&mut self.unset),
            "path" => self.path = Some(rest.to_owned()),
            "fields" | "types" if rest.split(self.separator).count() > FIELDS_MAX => {
                return Err(format!("the header names more than {FIELDS_MAX} fields"));
            }
            "fields" => self.fields = list(rest),
            "types" => self.types = list(rest),
            _ => {}
        }
        Ok(())
    }

    /// An event as the JSON that Zeek would have written.
    pub(crate) fn event(&self, line: &str) -> Result<Map<String, Value>, String> {
        if self.fields.is_empty() {
            return Err("there is no `#fields` line before it".to_owned());
        }
        let mut event = Map::new();
        let mut values = line.split(self.separator);
        for (i, field) in self.fields.iter().enumerate() {
            let Some(value) = values.next() else {
                return Err(format!("it has {i} fields, the header {}", self.fields.len()));
            };
            let type_name = self.types.get(i).map_or("string", String::as_str);
            if let Some(value) = self.value(value, type_name) {
                event.insert(field.clone(), value);
            }
        }
        if values.next().is_some() {
            return Err(format!("it has more fields than the header, which has {}", self.fields.len()));
        }
        if let Some(path) = &self.path {
            event.insert("_path".to_owned(), path.as_str().into());
        }
        Ok(event)
    }

    fn value(&self, text: &str, type_name: &str) -> Option<Value> {
        if text == self.unset {
            return None;
        }
        let element = type_name
            .strip_prefix("set[")
            .or_else(|| type_name.strip_prefix("vector["))
            .and_then(|inner| inner.strip_suffix(']'));
        if let Some(element) = element {
            if text == self.empty {
                return None;
            }
            let items = text.split(self.set_separator.as_str()).filter_map(|item| self.value(item, element));
            return Some(Value::Array(items.collect()));
        }
        Some(match type_name {
            "time" | "interval" | "double" => number(text),
            "count" | "int" | "port" => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
            "bool" => Value::Bool(text == "T"),
            _ if text == self.empty => return None,
            _ => Value::String(unescape(text)),
        })
    }
}

fn number(text: &str) -> Value {
    let number = text.parse::<f64>().ok().and_then(Number::from_f64);
    // What is no number stays text, so that its row reports it.
    number.map_or_else(|| Value::from(text), Value::Number)
}

/// `\x09` and `\\`.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
        match (first, tail) {
            (b'\\', [b'x', high, low, after @ ..]) if hex(high).is_some() && hex(low).is_some() => {
                bytes.push(hex(high).unwrap_or_default() << 4 | hex(low).unwrap_or_default());
                rest = after;
            }
            (b'\\', [b'\\', after @ ..]) => {
                bytes.push(b'\\');
                rest = after;
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_header_and_a_line_become_what_zeek_writes_as_json() {
        let mut tsv = Tsv::default();
        for line in [
            "#separator \\x09",
            "#set_separator\t,",
            "#empty_field\t(empty)",
            "#unset_field\t-",
            "#path\tdns",
            "#fields\tts\tid.orig_h\tid.orig_p\tAA\tquery\tanswers\trtt",
            "#types\ttime\taddr\tport\tbool\tstring\tvector[string]\tinterval",
        ] {
            tsv.header(line).unwrap();
        }
        let event = tsv.event("1700000000.25\t192.0.2.7\t5353\tT\ta\\x09b.example\t192.0.2.1,c.example\t-").unwrap();
        let expected = serde_json::json!({"ts": 1_700_000_000.25, "id.orig_h": "192.0.2.7", "id.orig_p": 5353, "AA": true,
            "query": "a\tb.example", "answers": ["192.0.2.1", "c.example"], "_path": "dns"});
        assert_eq!(Value::Object(event), expected);
        assert_eq!(tsv.event("1\t2").unwrap_err(), "it has 2 fields, the header 7");
        assert!(tsv.event("1\t2\t3\t4\t5\t6\t7\t8").unwrap_err().starts_with("it has more fields"));
        assert!(Tsv::default().event("x").unwrap_err().contains("#fields"));
    }
}
