# What the runtime.json of LinuxKit's bundles asks for before a container is made, as shell commands.
# A writable container has a tmpfs and an overlay in it: the tmpfs gets a bound, the overlay its folders.
def command: map(@sh) | join(" ");
def folders: .options // [] | .[] | capture("^(upperdir|workdir)=(?<path>.*)$") | ["mkdir", "-p", .path];
def mounting:
  if (.options // []) | index("private") then ["mount", "--make-private", .destination]
  else ["mount"]
    + (if .type then ["-t", .type] else [] end)
    + (if .options then ["-o", (.options | join(","))] elif .type == "tmpfs" then ["-o", "size=20%"] else [] end)
    + [.source, .destination]
  end;
((.mkdir // [])[] | ["mkdir", "-p", .]), ((.mounts // [])[] | folders, mounting) | command
