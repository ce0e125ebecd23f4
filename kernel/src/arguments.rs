//! The command line: the fixed names by which tools and people call `assay`.

use crate::install::kernelspec;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// A Jupyter kernel for Rust that measures.
#[derive(Debug, Parser)]
#[command(name = "assay", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make Jupyter find the kernel
    Install(Place),
    /// Take the kernel away from Jupyter
    Uninstall(Place),
    /// Look at everything that the kernel needs, and say what to do
    Doctor,
    /// Run as a kernel (Jupyter calls this)
    Kernel {
        /// The connection file that Jupyter wrote
        #[arg(short = 'f', value_name = "CONNECTION_FILE")]
        connection_file: PathBuf,
        /// Ignored: `jupyter run` appends the name of the script that it sends
        #[arg(hide = true)]
        rest: Vec<String>,
    },
    /// End what a kernel leaves behind that is killed (the kernel calls this)
    #[command(hide = true)]
    Sweep,
}

/// Which kernelspec is meant.
#[derive(Debug, Args)]
pub(crate) struct Place {
    #[command(flatten)]
    target: TargetFlags,
    /// The kernel's name
    #[arg(long, default_value = kernelspec::NAME)]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
struct TargetFlags {
    /// For this user alone (the default)
    #[arg(long)]
    user: bool,
    /// In the Python environment that is active
    #[arg(long)]
    sys_prefix: bool,
    /// Below a folder, in share/jupyter
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
}

impl Place {
    pub(crate) fn target(&self) -> kernelspec::Target {
        match &self.target {
            TargetFlags { prefix: Some(prefix), .. } => kernelspec::Target::Prefix(prefix.clone()),
            TargetFlags { sys_prefix: true, .. } => kernelspec::Target::SysPrefix,
            _ => kernelspec::Target::User,
        }
    }
}
