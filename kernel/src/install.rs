//! `assay install`, `assay uninstall` and `assay doctor`: what makes Jupyter find the kernel, and what is missing.

pub(crate) mod doctor;
pub(crate) mod kernelspec;
