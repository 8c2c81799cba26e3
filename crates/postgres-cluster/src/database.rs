//! One database of a server.

use std::sync::Arc;

use crate::{Cluster, Session};

/// A database. Dropped, it is gone, whoever is connected to it.
#[derive(Debug)]
pub struct Database {
    cluster: Arc<Cluster>,
    name: String,
}

impl Database {
    pub(crate) fn new(cluster: Arc<Cluster>, name: String) -> Self {
        Self { cluster, name }
    }

    /// Its name on the server.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server it is on.
    #[must_use]
    pub fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    /// Its URL for the superuser.
    #[must_use]
    pub fn admin_url(&self) -> String {
        self.cluster.admin_url(&self.name)
    }

    /// Its URL for a role of [`Cluster::login_role`].
    #[must_use]
    pub fn url(&self, role: &str) -> String {
        self.cluster.url(role, &self.name)
    }

    /// Runs statements as the superuser: [`Cluster::psql`].
    ///
    /// # Errors
    /// As there.
    pub fn psql(&self, sql: &str) -> Result<String, String> {
        self.cluster.psql(&self.name, sql)
    }

    /// A connection of the superuser that stays: [`Cluster::session`].
    #[must_use]
    pub fn session(&self) -> Session {
        self.cluster.session(&self.admin_url())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Where the server is down or killed, its directory goes, and the database with it.
        let _ = self.cluster.psql("postgres", &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}
