//! Sockets, REST, identity, limits, configuration; the binary presence-hub.
