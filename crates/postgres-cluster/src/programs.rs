//! Where the programs of Postgres are, and as whom its server runs.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The directory with `initdb`, `postgres` and `psql`.
#[derive(Clone, Debug)]
pub(crate) struct Programs(PathBuf);

impl Programs {
    /// Those of a server: in PATH, where `pg_config` says, or where Debian puts them (the newest).
    pub(crate) fn of_server() -> Self {
        let found = in_path("initdb").or_else(from_config).or_else(newest_of_debian);
        Self(found.expect("no Postgres server is installed (Debian: apt install postgresql)"))
    }

    /// Those of a client.
    pub(crate) fn of_client() -> Self {
        let server = [from_config, newest_of_debian].into_iter().find_map(|find| find());
        let with_client = server.filter(|folder| folder.join("psql").exists());
        let found = with_client.or_else(|| in_path("psql"));
        Self(found.expect("no Postgres client is installed (Debian: apt install postgresql-client)"))
    }

    /// The path of a program.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A program in an environment in which nothing of ours changes what it does or says.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.path(name));
        command.env_clear().env("LC_ALL", "C").env("PGCONNECT_TIMEOUT", "10");
        command.envs(["PATH", "HOME"].iter().filter_map(|key| Some((*key, std::env::var_os(key)?))));
        command.stdin(Stdio::null()).process_group(0);
        command
    }
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let file = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())?;
    Some(fs::canonicalize(file).ok()?.parent()?.to_owned())
}

fn from_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").stderr(Stdio::null()).output().ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    folder.join("initdb").is_file().then_some(folder)
}

fn newest_of_debian() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
    let with_number = versions.filter_map(|entry| {
        let number: u32 = entry.file_name().to_str()?.parse().ok()?;
        let folder = entry.path().join("bin");
        folder.join("initdb").is_file().then_some((number, folder))
    });
    with_number.max().map(|(_, folder)| folder)
}

/// A user of the system, by number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemUser {
    uid: u32,
    gid: u32,
}

impl SystemUser {
    /// Who a server is run as where root may not: `postgres`, or `nobody` where there is none. `None`: as we are.
    pub(crate) fn of_server() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").expect("a list of users");
        let found = ["postgres", "nobody"].iter().find_map(|name| Self::named(&users, name));
        Some(found.expect("root may not run Postgres, and there is no user postgres or nobody"))
    }

    fn named(users: &str, name: &str) -> Option<Self> {
        let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let of_user = fields.into_iter().find(|fields| fields.first() == Some(&name))?;
        Some(Self { uid: of_user.get(2)?.parse().ok()?, gid: of_user.get(3)?.parse().ok()? })
    }

    /// Makes this user the owner of a directory.
    pub(crate) fn own(self, folder: &Path) {
        std::os::unix::fs::chown(folder, Some(self.uid), Some(self.gid))
            .expect("a directory can be given away");
    }

    /// Has a command run as this user, without the groups of ours.
    pub(crate) fn run(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_from_the_list() {
        let users =
            "root:x:0:0:root:/root:/bin/bash\nbroken\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";
        let found = SystemUser::named(users, "postgres").expect("a user");
        assert_eq!((found.uid, found.gid), (101, 104));
        assert!(SystemUser::named(users, "nobody").is_none());
        assert!(SystemUser::named(users, "broken").is_none());
    }

    #[test]
    fn the_programs_of_a_server_are_found() {
        let programs = Programs::of_server();
        assert!(["initdb", "postgres"].iter().all(|name| programs.path(name).is_file()), "{programs:?}");
        assert!(Programs::of_client().path("psql").is_file());
    }
}
