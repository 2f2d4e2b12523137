"""The system calls that student code may make; the kernel refuses all others (seccomp).

Some things of the kernel lie in no namespace, or outlive the call that made them: its keyrings, shared memory
and queues of System V and POSIX, files in memory, new namespaces, tracing, io_uring. So the list is of what a
graded function needs, not of what it must not have. Standard library only.
Source: Linux, Documentation/userspace-api/seccomp_filter.rst.
"""

import ctypes
import os
import re
import struct
import sys

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # as the kernel's audit names them
# Name, number on x86_64, number on aarch64 ("-": not there).
ALLOWED = """
# Bytes in and out, and waiting for them
read 0 63; write 1 64; readv 19 65; writev 20 66; pread64 17 67; pwrite64 18 68; preadv 295 69;
pwritev 296 70; preadv2 327 286; pwritev2 328 287; close 3 57; close_range 436 436; lseek 8 62;
dup 32 23; dup2 33 -; dup3 292 24; pipe 22 -; pipe2 293 59; fcntl 72 25; flock 73 32; ioctl 16 29;
select 23 -; pselect6 270 72; poll 7 -; ppoll 271 73; epoll_create 213 -; epoll_create1 291 20;
epoll_ctl 233 21; epoll_wait 232 -; epoll_pwait 281 22; epoll_pwait2 441 441; eventfd 284 -;
eventfd2 290 19; sendfile 40 71; copy_file_range 326 285
# Files and folders
open 2 -; openat 257 56; openat2 437 437; creat 85 -; access 21 -; faccessat 269 48; faccessat2 439 439;
stat 4 -; lstat 6 -; fstat 5 80; newfstatat 262 79; statx 332 291; statfs 137 43; fstatfs 138 44;
readlink 89 -; readlinkat 267 78; getdents 78 -; getdents64 217 61; getcwd 79 17; chdir 80 49;
fchdir 81 50; mkdir 83 -; mkdirat 258 34; rmdir 84 -; unlink 87 -; unlinkat 263 35; rename 82 -;
renameat 264 38; renameat2 316 276; link 86 -; linkat 265 37; symlink 88 -; symlinkat 266 36; chmod 90 -;
fchmod 91 52; fchmodat 268 53; truncate 76 45; ftruncate 77 46; fallocate 285 47; fsync 74 82;
fdatasync 75 83; umask 95 166; utime 132 -; utimes 235 -; utimensat 280 88; futimesat 261 -;
fadvise64 221 223; getxattr 191 8; lgetxattr 192 9; fgetxattr 193 10; listxattr 194 11;
llistxattr 195 12; flistxattr 196 13
# Memory
mmap 9 222; munmap 11 215; mprotect 10 226; mremap 25 216; madvise 28 233; msync 26 227; brk 12 214;
mincore 27 232; membarrier 324 283
# Processes, threads and signals
fork 57 -; vfork 58 -; execve 59 221; execveat 322 281; exit 60 93; exit_group 231 94; wait4 61 260;
waitid 247 95; kill 62 129; tgkill 234 131; tkill 200 130; futex 202 98; set_robust_list 273 99;
get_robust_list 274 100; set_tid_address 218 96; rseq 334 293; arch_prctl 158 -; sched_yield 24 124;
sched_getaffinity 204 123; sched_getscheduler 145 120; sched_getparam 143 121;
sched_get_priority_max 146 125; sched_get_priority_min 147 126; getcpu 309 168; getpriority 140 141;
rt_sigaction 13 134; rt_sigprocmask 14 135; rt_sigreturn 15 139; rt_sigpending 127 136;
rt_sigsuspend 130 133; rt_sigtimedwait 128 137; sigaltstack 131 132; pause 34 -; restart_syscall 219 128;
getpid 39 172; getppid 110 173; gettid 186 178; getuid 102 174; geteuid 107 175; getgid 104 176;
getegid 108 177; getresuid 118 148; getresgid 120 150; getgroups 115 158; getpgid 121 155; getpgrp 111 -;
getsid 124 156; setpgid 109 154; setsid 112 157; getrusage 98 165; getrlimit 97 163; setrlimit 160 164;
prlimit64 302 261; capget 125 90; prctl 157 167
# Clocks, the machine's name, random bytes
clock_gettime 228 113; clock_getres 229 114; clock_nanosleep 230 115; nanosleep 35 101;
gettimeofday 96 169; time 201 -; times 100 153; alarm 37 -; getitimer 36 102; setitimer 38 103;
timer_create 222 107; timer_settime 223 110; timer_gettime 224 108; timer_getoverrun 225 109;
timer_delete 226 111; timerfd_create 283 85; timerfd_settime 286 86; timerfd_gettime 287 87;
uname 63 160; sysinfo 99 179; getrandom 318 278
# Sockets, once they are there
socketpair 53 199; bind 49 200; connect 42 203; listen 50 201; accept 43 202; accept4 288 242;
getsockname 51 204; getpeername 52 205; sendto 44 206; recvfrom 45 207; sendmsg 46 211; recvmsg 47 212;
shutdown 48 210; setsockopt 54 208; getsockopt 55 209
"""
CLONE, SOCKET, KEYCTL = (56, 220), (41, 198), (250, 219)  # x86_64, aarch64
NEW_NAMESPACES = 0x7E020080  # of clone's flags: those that make a namespace
FAMILIES = (1, 2, 10)  # sockets: on this machine, IPv4, IPv6; the network itself is empty
EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, EQUAL, ANY_BIT, AT_LEAST, RETURN = 0x20, 0x15, 0x45, 0x35, 0x06  # opcodes of the filter's machine
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # bytes of the kernel's struct seccomp_data


def allowed(machine: int) -> dict[str, int]:
    """The calls that are let through whatever their arguments, by name; ``machine``: 0 x86_64, 1 aarch64."""
    rows = re.findall(r"(\w+)\s+(\d+)\s+(\d+|-)", ALLOWED)
    return {row[0]: int(row[1 + machine]) for row in rows if row[1 + machine] != "-"}


def filter_program(name: str) -> bytes:
    """The filter for a kind of machine (a key of ``ARCHITECTURES``): instructions of 8 bytes each."""
    machine = list(ARCHITECTURES).index(name)
    refuse = {error: (RETURN, 0, 0, REFUSE | error) for error in (EPERM, ENOSYS, EAFNOSUPPORT)}
    allow = (RETURN, 0, 0, ALLOW)
    steps = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, ARCHITECTURES[name]),
        (RETURN, 0, 0, KILL),  # the numbers of another machine's calls, by another door of the same kernel
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, 0x40000000),  # a third set of numbers on x86_64
        refuse[ENOSYS],
    ]
    for number in allowed(machine).values():
        steps += [(EQUAL, 0, 1, number), allow]
    steps += [(EQUAL, 0, 4, CLONE[machine]), (LOAD, 0, 0, FIRST_ARGUMENT)]
    steps += [(ANY_BIT, 0, 1, NEW_NAMESPACES), refuse[EPERM], allow]
    steps += [(EQUAL, 0, 2 + 2 * len(FAMILIES), SOCKET[machine]), (LOAD, 0, 0, FIRST_ARGUMENT)]
    for family in FAMILIES:
        steps += [(EQUAL, 0, 1, family), allow]
    steps += [refuse[EAFNOSUPPORT], refuse[ENOSYS]]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def narrow() -> bool:
    """Leave the grader's keyring and put the filter on this process and all that it will start.

    False where the machine has no such filter: whoever asks for isolation finds out by trying what is open.
    """
    name = os.uname().machine if sys.platform == "linux" else ""
    if name not in ARCHITECTURES:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall(KEYCTL[list(ARCHITECTURES).index(name)], 1, None)  # a session keyring of its own
    text = filter_program(name)
    instructions = ctypes.create_string_buffer(text, len(text))
    pointer = ctypes.cast(instructions, ctypes.c_void_p).value
    program = struct.pack("HxxxxxxQ", len(text) // 8, pointer)
    # PR_SET_NO_NEW_PRIVS; then PR_SET_SECCOMP with SECCOMP_MODE_FILTER.
    return libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
