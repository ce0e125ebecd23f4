//! The registers that a walk begins with.

use super::memory;
use framehop::UnwindRegsNative;
use libc::{c_void, ucontext_t};
use std::arch::asm;

/// Of a thread at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Registers {
    code: u64,
    stack: u64,
    frame: u64,
    /// The return address, where it is in a register.
    #[cfg(target_arch = "aarch64")]
    link: u64,
}

impl Registers {
    /// Where the thread runs.
    pub(crate) fn code(&self) -> u64 {
        self.code
    }

    /// Its stack pointer.
    pub(crate) fn stack(&self) -> u64 {
        self.stack
    }
}

#[cfg(target_arch = "x86_64")]
impl Registers {
    /// Of the thread that a signal has interrupted.
    ///
    /// # Safety
    ///
    /// The context is the one that the signal's handler was given.
    #[expect(unsafe_code, reason = "the kernel gives a handler registers by pointer")]
    pub(crate) unsafe fn interrupted(context: *const c_void) -> Self {
        // SAFETY: the caller promises it.
        let registers = unsafe { &(*context.cast::<ucontext_t>()).uc_mcontext.gregs };
        let get = |register: libc::c_int| registers[register as usize].cast_unsigned();
        Self { code: get(libc::REG_RIP), stack: get(libc::REG_RSP), frame: get(libc::REG_RBP) }
    }

    /// Of the calling function, as of this moment.
    #[inline(always)]
    #[expect(unsafe_code, reason = "registers are read")]
    pub(super) fn here() -> Self {
        let (code, stack, frame);
        // SAFETY: nothing is written but the results.
        unsafe {
            asm!("lea {}, [rip]", "mov {}, rsp", "mov {}, rbp", out(reg) code, out(reg) stack, out(reg) frame,
                options(nostack, nomem, preserves_flags));
        }
        Self { code, stack, frame }
    }

    /// These, of a function that is under way on the calling thread.
    #[cfg_attr(not(heap), expect(dead_code, reason = "the heap's watch walks from them"))]
    pub(crate) fn at(code: u64, stack: u64, frame: u64) -> Self {
        Self { code, stack, frame }
    }

    pub(super) fn native(&self) -> UnwindRegsNative {
        UnwindRegsNative::new(self.code, self.stack, self.frame)
    }
}

#[cfg(target_arch = "aarch64")]
impl Registers {
    /// Of the thread that a signal has interrupted.
    ///
    /// # Safety
    ///
    /// The context is the one that the signal's handler was given.
    #[expect(unsafe_code, reason = "the kernel gives a handler registers by pointer")]
    pub(crate) unsafe fn interrupted(context: *const c_void) -> Self {
        // SAFETY: the caller promises it.
        let registers = unsafe { &(*context.cast::<ucontext_t>()).uc_mcontext };
        let [frame, link] = [registers.regs[29], registers.regs[30]];
        Self { code: registers.pc, stack: registers.sp, frame, link }
    }

    /// Of the calling function, as of this moment.
    #[inline(always)]
    #[expect(unsafe_code, reason = "registers are read")]
    pub(super) fn here() -> Self {
        let (code, stack, frame, link);
        // SAFETY: nothing is written but the results.
        unsafe {
            asm!("adr {}, .", "mov {}, sp", "mov {}, x29", "mov {}, x30", out(reg) code, out(reg) stack, out(reg) frame,
                out(reg) link, options(nostack, nomem, preserves_flags));
        }
        Self { code, stack, frame, link }
    }

    pub(super) fn native(&self) -> UnwindRegsNative {
        UnwindRegsNative::new(self.link, self.stack, self.frame)
    }
}

/// The instruction that enters the system.
#[cfg(target_arch = "x86_64")]
const CALL: [u8; 2] = [0x0f, 0x05];
#[cfg(target_arch = "aarch64")]
const CALL: [u8; 4] = 0xd400_0001_u32.to_le_bytes();

impl Registers {
    /// Whether it was in the system, where it may have waited: it comes from there, or goes there once more, as those do whose waiting a signal has ended.
    pub(crate) fn is_in_call(&self) -> bool {
        let code = self.code as usize;
        [code.wrapping_sub(CALL.len()), code].into_iter().any(is_call)
    }
}

/// Whether that instruction stands there.
#[expect(unsafe_code, reason = "code is read")]
fn is_call(address: usize) -> bool {
    let last = address.wrapping_add(CALL.len() - 1);
    // SAFETY: all of it is there.
    let code = || unsafe { std::ptr::with_exposed_provenance::<[u8; CALL.len()]>(address).read_unaligned() };
    [address, last].into_iter().all(memory::is_there) && code() == CALL
}
