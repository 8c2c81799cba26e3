//! The one projection: who sees whom, and what. Pure tables of cases.
