//! Programs that others wrote, asked over a pipe.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// What the Python script of `tests/partners/peers` answers to `input`, one line for each of its lines. `None`, loudly, without the virtual environment that
/// `make test` makes.
pub(crate) fn python(script: &str, args: &[&str], input: String) -> Option<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join(".venv/bin/python");
    if !python.is_file() {
        eprintln!("SKIPPED comparison by {script}: no virtual environment; `make venv` makes it");
        return None;
    }
    let lines = input.lines().count();
    let mut child = Command::new(python)
        .arg(root.join("tests/partners/peers").join(script))
        .args(args)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the peer starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("the peer ends");
    assert!(output.status.success(), "{script} failed");
    writer.join().expect("the writer ends").expect("the peer reads its input");
    let answers: Vec<String> =
        String::from_utf8(output.stdout).expect("UTF-8").lines().map(ToOwned::to_owned).collect();
    assert_eq!(answers.len(), lines, "one answer a line");
    Some(answers)
}
