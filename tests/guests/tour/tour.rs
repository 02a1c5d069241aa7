// tour.rs - the tour in Rust: what tour.c does, with Rust's standard library. With "fail" as its argument it panics.
use std::fs;
use std::io::{BufRead, ErrorKind, Write};
use std::time::{Duration, Instant, SystemTime};

fn read_file() {
    let text = fs::read("/texts/limerick.txt").unwrap();
    let lines = text.iter().filter(|&&b| b == b'\n').count();
    let sum: u32 = text.iter().map(|&b| u32::from(b)).sum();
    println!("limerick.txt: {} lines, {} bytes, sum {}", lines, text.len(), sum);
}

fn list_folder() {
    let mut names: Vec<String> = fs::read_dir("/texts")
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let slash = if entry.file_type().unwrap().is_dir() { "/" } else { "" };
            format!("{}{}", entry.file_name().to_string_lossy(), slash)
        })
        .collect();
    names.sort();
    println!("texts: {}", names.join(" "));
}

fn write_file() {
    let path = "/scratch/notes-rust.txt";
    let mut file = fs::File::create(path).unwrap();
    for i in 0..1000 {
        writeln!(file, "line {:06}", i).unwrap();
    }
    drop(file);
    println!("notes.txt: wrote and read back {} bytes", fs::read(path).unwrap().len());
    fs::remove_file(path).unwrap();
    match fs::File::open("/scratch/missing.txt") {
        Err(error) if error.kind() == ErrorKind::NotFound => println!("missing.txt: not found"),
        other => println!("missing.txt: {:?}", other),
    }
}

fn clocks() {
    let before = Instant::now();
    std::thread::sleep(Duration::from_millis(2));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let good = before.elapsed() >= Duration::from_millis(2) && now.as_secs() > 1_600_000_000;
    println!("clocks: {}", if good { "ok" } else { "wrong" });
}

// A map's hasher is seeded by the system's random numbers.
fn random_numbers() {
    use std::collections::hash_map::RandomState;
    use std::hash::{BuildHasher, Hasher};
    let draw = || RandomState::new().build_hasher().finish();
    println!("random: {}", if draw() != draw() { "ok" } else { "wrong" });
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().map(String::as_str) == Some("fail") {
        let empty: Vec<u32> = Vec::new();
        println!("{}", empty[arguments.len()]);
    }
    println!("arguments: {}", arguments.len());
    for argument in &arguments {
        println!("  {}", argument);
    }
    println!("GREETING={}", std::env::var("GREETING").unwrap());
    println!("MISSING is {}", if std::env::var("MISSING").is_ok() { "set" } else { "not set" });
    read_file();
    list_folder();
    write_file();
    clocks();
    random_numbers();
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).unwrap();
    print!("input: {}", line);
}
