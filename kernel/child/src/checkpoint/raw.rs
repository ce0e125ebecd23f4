//! System calls as the processor makes them. The C library's wrappers set `errno`, which belongs to the thread that was interrupted; and none of them makes a
//! thread that goes on where another one stood.

use libc::{SYS_clone, SYS_futex, SYS_gettid, SYS_rt_sigreturn, c_long, timespec};
use std::arch::asm;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// The flags with which the C library makes a thread: <https://sourceware.org/git/?p=glibc.git;a=blob;f=sysdeps/unix/sysv/linux/createthread.c>, of glibc 2.33.
const THREAD: libc::c_int = libc::CLONE_VM
    | libc::CLONE_FS
    | libc::CLONE_FILES
    | libc::CLONE_SIGHAND
    | libc::CLONE_THREAD
    | libc::CLONE_SYSVSEM
    | libc::CLONE_SETTLS
    | libc::CLONE_PARENT_SETTID
    | libc::CLONE_CHILD_CLEARTID;

/// What a thread begins with.
pub(super) struct Start<T> {
    /// The end of its stack.
    pub(super) stack: usize,
    /// Its thread pointer.
    pub(super) pointer: usize,
    /// Where its id stands.
    pub(super) id: usize,
    /// What it does.
    pub(super) begin: unsafe extern "C" fn(*const T) -> !,
    /// With what.
    pub(super) with: *const T,
}

/// Makes a system call. A result from -4095 to -1 is an error's number, negated.
///
/// # Safety
///
/// As the call has it.
#[expect(unsafe_code, reason = "a system call is an instruction")]
pub(super) unsafe fn call(number: c_long, arguments: [usize; 5]) -> isize {
    let [a, b, c, d, e] = arguments;
    let result: isize;
    // SAFETY: the registers are those of the calling convention, and the kernel changes no others. What it does to memory is the caller's.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            in("r10") d,
            in("r8") e,
            // The sixth argument of futex, which those operations do not look at that are made here.
            in("r9") 0,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// The id of the calling thread.
#[expect(unsafe_code, reason = "a system call is an instruction")]
pub(super) fn thread() -> u32 {
    // SAFETY: it has no arguments, and does nothing.
    let id = unsafe { call(SYS_gettid, [0; 5]) };
    u32::try_from(id).unwrap_or_default()
}

/// The thread pointer of the calling thread, which is where the C library keeps what it knows of the thread.
#[expect(unsafe_code, reason = "a register is read")]
pub(super) fn pointer() -> usize {
    let pointer;
    // SAFETY: the first word there is its own address: <https://akkadia.org/drepper/tls.pdf>, section 3.4.6.
    unsafe { asm!("mov {}, fs:0", out(reg) pointer, options(nostack, readonly, preserves_flags)) };
    pointer
}

/// Waits while `word` has this value, and no longer than `limit`. It may return at any time.
#[expect(unsafe_code, reason = "a system call is an instruction")]
pub(super) fn wait(word: &AtomicU32, value: u32, limit: Option<Duration>) {
    let limit = limit.map(|limit| timespec {
        tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(limit.subsec_nanos()),
    });
    let limit = limit.as_ref().map_or(0, |limit| std::ptr::from_ref(limit).addr());
    let operation = (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG) as usize;
    // SAFETY: the word outlives the call, and so does the time.
    unsafe { call(SYS_futex, [word.as_ptr().addr(), operation, value as usize, limit, 0]) };
}

/// Wakes all who wait for `word`.
#[expect(unsafe_code, reason = "a system call is an instruction")]
pub(super) fn wake(word: &AtomicU32) {
    let operation = (libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG) as usize;
    // SAFETY: it only looks for those who wait.
    unsafe { call(SYS_futex, [word.as_ptr().addr(), operation, i32::MAX as usize, 0, 0]) };
}

/// Makes a copy of this process, which has the calling thread alone. 0 in the copy.
///
/// # Safety
///
/// `id` is where the C library keeps the calling thread's id. What other threads hold is held for ever in the copy, unless they are brought back.
#[expect(unsafe_code, reason = "a system call is an instruction")]
pub(super) unsafe fn fork(id: usize) -> isize {
    let flags = (libc::SIGCHLD | libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID) as usize;
    // SAFETY: the copy has its own memory, and so its own stack. The rest is the caller's.
    unsafe { call(SYS_clone, [flags, 0, 0, id, 0]) }
}

/// Makes a thread. Its id.
///
/// # Safety
///
/// Stack, thread pointer and the place of the id are those of a thread that is not there, and nobody else uses them.
#[expect(unsafe_code, reason = "a system call is an instruction")]
pub(super) unsafe fn start<T>(start: &Start<T>) -> isize {
    let result: isize;
    // SAFETY: this thread goes on as after any system call. The new one has registers like these but for the stack, where it calls what does not
    // return; what that needs is the caller's.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "ud2",
            "2:",
            inlateout("rax") SYS_clone as isize => result,
            in("rdi") THREAD as usize,
            in("rsi") start.stack,
            in("rdx") start.id,
            in("r10") start.id,
            in("r8") start.pointer,
            in("r12") start.with,
            in("r13") start.begin,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    result
}

/// Goes on where a signal has interrupted a thread.
///
/// # Safety
///
/// `frame` is the address of the context that the kernel gave the signal's handler, which is as it was, and the calling thread is that thread, or stands for it.
#[expect(unsafe_code, reason = "a system call is an instruction")]
pub(super) unsafe fn go_on(frame: usize) -> ! {
    // SAFETY: the kernel expects its frame below the stack pointer as the handler's return leaves that: one word, the return address, further up:
    // <https://github.com/torvalds/linux/blob/v6.12/arch/x86/kernel/signal_64.c>, `rt_sigreturn`. It sets all registers.
    unsafe {
        asm!("mov rsp, {}", "syscall", "ud2", in(reg) frame, in("rax") SYS_rt_sigreturn, options(noreturn))
    }
}
