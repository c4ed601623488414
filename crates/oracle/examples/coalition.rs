//! Prints what the oracle says about a coalition's folder: `cargo run -p oracle --example coalition -- demo [BUNDLE]`.
//! A bundle given as second argument is loaded as PUBLIC into the first node's `public` collection.
#![allow(clippy::print_stdout, missing_docs)]

use std::time::Instant;

fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "demo".to_owned());
    let start = Instant::now();
    let mut coalition = oracle::coalition::Coalition::from_dir(&folder)?;
    println!("read in {:?}", start.elapsed());
    if let Some(bundle) = arguments.next() {
        let text = std::fs::read_to_string(&bundle).map_err(|e| format!("{bundle}: {e}"))?;
        let first = coalition.names().first().map(|n| (*n).to_owned()).ok_or("no node")?;
        let start = Instant::now();
        let (count, refused) = coalition.load(&first, "public", Some("PUBLIC"), &text)?;
        println!("{bundle}: {count} objects, {} refused, in {:?}", refused.len(), start.elapsed());
    }
    let start = Instant::now();
    let settled = coalition.settle();
    println!("settled in {:?}", start.elapsed());
    for (label, row) in settled.matrix() {
        println!("\n{label}");
        for (node, cell) in row {
            let withheld: Vec<String> = cell.withheld.iter().map(|(why, n)| format!("{n} {why}")).collect();
            println!(
                "  {node:<12} own {:>3}  released {:>3}  withheld {}",
                cell.own,
                cell.released,
                withheld.join(", ")
            );
        }
    }
    println!();
    for (node, held) in settled.held() {
        let waiting = held.iter().filter(|h| h.quarantined).count();
        println!("{node:<12} holds {} ({waiting} in quarantine)", held.len());
    }
    for ((node, reader), lines) in settled.shown() {
        let lines: Vec<String> = lines.iter().map(|(alias, shown)| format!("{alias} {}", shown.len())).collect();
        println!("{node:<12} shows {reader:<12} {}", lines.join(", "));
    }
    println!("ambiguous: {:?}", settled.ambiguities());
    println!("{:?} altogether after reading", start.elapsed());
    Ok(())
}
