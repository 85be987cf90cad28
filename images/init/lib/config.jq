# Turns LinuxKit's config.json into the one of the bundle. $root: the absolute path of the root.
# $profile: a list of one seccomp profile in Docker's format, in which system calls depend on the
# container's capabilities, on the processor and on the age of the kernel (ours is newer than any).
# Calls of 32-bit programs, which no image has, are not permitted: a filter for them takes runc as
# long again.
# A container that may load kernel modules gets no profile: it is root on the host.
def applies($capabilities):
  (.includes.arches // ["amd64"] | index("amd64"))
  and (.includes.caps // [] | . - $capabilities == [])
  and (.excludes.arches // [] | index("amd64") | not)
  and (.excludes.caps // [] | . - $capabilities == .)
  and .excludes.minKernel == null;
def resolved($capabilities):
  {
    defaultAction,
    defaultErrnoRet,
    architectures: ["SCMP_ARCH_X86_64"],
    syscalls: [
      .syscalls[] | select(applies($capabilities)) | {names, action, errnoRet, args}
      | with_entries(select(.value != null))
    ]
  };
(.process.capabilities.bounding // []) as $capabilities
| if .root.path == "rootfs" then .root.path = $root else . end
| if $capabilities | index("CAP_SYS_MODULE") then .
  else .linux.seccomp = ($profile[0] | resolved($capabilities)) end
