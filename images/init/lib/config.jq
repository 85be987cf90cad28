# Turns LinuxKit's config.json of each container into the one of its bundle. Inputs, in any order:
# seccomp profiles NAME.json and files FOLDER/config.json. Output: for each container a line with the
# folder's last name, the container's name, its user:group, and the JSON, between tabs. (One run for
# all, since jq's start takes longer than its work.)
# A profile is in Docker's format, in which system calls depend on the container's capabilities, on the
# processor and on the age of the kernel (ours is newer than any). Calls of 32-bit programs, which no
# image has, are not permitted: a filter for them takes runc as long again.
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
def of_bundle($root; $profile):
  (.process.capabilities.bounding // []) as $capabilities
  | if .root.path == "rootfs" then .root.path = $root else . end
  | if $capabilities | index("CAP_SYS_MODULE") then .
    else .linux.seccomp = ($profile | resolved($capabilities)) end;
reduce inputs as $file ({};
  input_filename as $path
  | ($path | split("/")) as $names
  | if $names[-1] == "config.json" then .containers[$path] = $file
    else .profiles[$names[-1] | rtrimstr(".json")] = $file end
)
| .profiles as $profiles
| .containers | to_entries[]
| (.key | rtrimstr("/config.json")) as $folder
| ($folder | split("/")[-1]) as $last
| ($last | sub("^[0-9]{3}-"; "")) as $name # LinuxKit numbers those of onboot
| .value
| of_bundle("\($folder)/rootfs"; $profiles[$name] // $profiles.docker)
| [$last, $name, "\(.process.user.uid):\(.process.user.gid)", tojson] | join("\t")
