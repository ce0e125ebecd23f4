//! What the kernel and the processes that it started use of the machine.

use super::Session;
use super::reply::{ProcessUsage, Usage};
use std::time::Duration;
use sysinfo::{CpuRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// The processor, as the system names it; empty if it does not say.
pub(crate) fn processor() -> String {
    let Ok(mut system) = System::new() else { return String::new() };
    system.refresh_cpu_specifics(CpuRefreshKind::nothing());
    let brand = system.cpus().first().map(|cpu| cpu.brand().trim().to_owned());
    brand.unwrap_or_default()
}

impl Session {
    /// Memory and processor time of the kernel and of the engine's processes.
    pub(crate) fn usage(&self) -> Usage {
        let mut wanted = vec![(std::process::id(), "kernel".to_owned())];
        wanted.extend(self.engine().processes());
        let pids: Vec<Pid> = wanted.iter().map(|(pid, _)| Pid::from_u32(*pid)).collect();
        let Ok(mut system) =
            System::new().inspect_err(|error| tracing::warn!("the system tells no usage: {error}"))
        else {
            return Usage::default();
        };
        let what = ProcessRefreshKind::nothing().with_memory().with_cpu();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&pids), false, what);
        let processes = wanted.into_iter().filter_map(|(pid, name)| {
            let process = system.process(Pid::from_u32(pid))?;
            let cpu = Duration::from_millis(process.accumulated_cpu_time());
            Some(ProcessUsage { pid, name, resident: process.memory(), cpu })
        });
        Usage { processes: processes.collect() }
    }
}
