//! No path of somebody's machine in a tracked file.

use crate::tree::{self, Fault, File};

/// Folders that exist on one machine only, each spelled so that this file does not find itself.
const FOLDERS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tm", "p/bash")];

fn faults(files: &[File]) -> Vec<Fault> {
    let mut found = Vec::new();
    for file in files {
        for (i, line) in file.text.lines().enumerate() {
            for folder in FOLDERS {
                // A folder of this name below another one, or in a URL, is somebody else's.
                let absolute = |at: usize| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | ')'))
                };
                if line.match_indices(folder).any(|(at, _)| absolute(at)) {
                    found.push(Fault::new(&file.path, i + 1, format!("the machine's path `{folder}`")));
                }
            }
        }
    }
    found
}

#[test]
fn no_file_names_a_path_of_a_machine() {
    tree::expect_none(&faults(&tree::tracked()));
}

#[test]
fn a_path_of_a_machine_is_found() {
    for folder in FOLDERS {
        for bad in [
            format!("a\nsee `{folder}x`"),
            format!("a\n{folder}"),
            format!("a\n\"{folder}\""),
            format!("a\nA={folder}x"),
            format!("a\nfile://{folder}x"),
        ] {
            let found = faults(&[File::planted("README.md", bad.clone())]);
            assert_eq!(found.iter().map(|f| f.line).collect::<Vec<_>>(), [2], "{bad}");
        }
        assert_eq!(
            faults(&[File::planted("a.rs", format!("https://example.org{folder} home{folder} ../x{folder}"))]),
            []
        );
    }
}
