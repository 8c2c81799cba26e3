//! Puts the console into the binary where it has been built (`web/console/dist`), and nothing where it has not: the hub
//! builds without Node, and then says itself how to get it.

use std::{
    env,
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let console = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../web/console");
    let dist = console.join("dist");
    println!("cargo::rerun-if-changed=build.rs");
    // What is named here has to be there: of a path that is not, cargo believes that it changes all the time.
    if let Some(watched) = [&dist, &console].into_iter().find(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", watched.display());
    }
    let mut files = Vec::new();
    if dist.join("index.html").exists() {
        collect(&dist, &dist, &mut files)?;
        files.sort();
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("console.rs"), table(&dist, &files, &out)?)?;
    Ok(())
}

/// The files below `folder` by their paths from `root`, without source maps: they are for who builds the console.
fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str)
            && !name.ends_with(".map")
        {
            files.push(name.to_owned());
        }
    }
    Ok(())
}

/// Paths and bytes, as Rust. The bytes are copied: while the hub is compiled, the console may be built anew.
fn table(dist: &Path, files: &[String], out: &Path) -> io::Result<String> {
    let mut rows = String::from("&[\n");
    for (n, name) in files.iter().enumerate() {
        let copy = format!("console.{n}");
        fs::copy(dist.join(name), out.join(&copy))?;
        rows +=
            &format!("    ({name:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{copy}\")).as_slice()),\n");
    }
    Ok(rows + "]\n")
}
