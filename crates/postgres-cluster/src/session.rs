//! A connection that stays: `psql`, statement by statement.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// Printed after each statement; no row of a test looks like it.
const END: &str = "-- the end of a statement --";

/// A connection. Dropped, it is closed, and its transaction rolled back.
#[derive(Debug)]
pub struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    pub(crate) fn open(mut psql: Command, url: &str) -> Self {
        let command = psql.args(["-X", "-q", "-A", "-t", "-d", url]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("psql runs");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, input, output }
    }

    /// Runs one statement and returns its rows as lines, columns separated by `|`.
    ///
    /// # Errors
    /// What the server says of it; that the connection is lost.
    pub fn run(&mut self, statement: &str) -> Result<String, String> {
        self.exchange(statement).unwrap_or_else(|| Err("the connection is lost".to_owned()))
    }

    fn exchange(&mut self, statement: &str) -> Option<Result<String, String>> {
        let end = format!("\\echo '{END}' :ERROR :LAST_ERROR_MESSAGE");
        writeln!(self.input, "{};\n{end}", statement.trim_end().trim_end_matches(';')).ok()?;
        let mut rows = Vec::new();
        for line in self.output.by_ref().lines() {
            let line = line.ok()?;
            let Some(outcome) = line.strip_prefix(END) else {
                rows.push(line);
                continue;
            };
            return Some(match outcome.trim().strip_prefix("true") {
                None => Ok(rows.join("\n")),
                Some(said) => Err(said.trim().to_owned()),
            });
        }
        None
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
