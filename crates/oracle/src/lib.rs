//! A naive reference model of the domain, to test the heart against. Sees the model only.
