# Turns the runtime.json of LinuxKit's bundles into the shell commands that must run before the
# container is created. A writable container has a tmpfs and an overlay on it: the tmpfs gets a size
# limit, the overlay its folders.
def command: map(@sh) | join(" ");
def folders: .options // [] | .[]
  | capture("^(upperdir|workdir)=(?<path>.*)$") | ["mkdir", "-p", .path];
def options:
  if .options then ["-o", (.options | join(","))] elif .type == "tmpfs" then ["-o", "size=20%"]
  else [] end;
def mounting:
  if (.options // []) | index("private") then ["mount", "--make-private", .destination]
  else ["mount"] + (if .type then ["-t", .type] else [] end) + options + [.source, .destination]
  end;
((.mkdir // [])[] | ["mkdir", "-p", .]), ((.mounts // [])[] | folders, mounting) | command
