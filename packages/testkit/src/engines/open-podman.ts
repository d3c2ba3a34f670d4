import { join } from "node:path";

import { openEngine, type TestEngine } from "./test-engine.ts";

/*
 * The limits are those that a container of tests may set for itself; crun refuses machines with both versions of control
 * groups, which CI runs on.
 */
const configuration = `
[containers]
default_ulimits = ["nofile=8192:8192", "nproc=8192:8192"]
[network]
network_backend = "netavark"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
`;

/** Starts podman's service as root. */
export function openPodman(): Promise<TestEngine> {
  return openEngine({
    name: "podman",
    command: serviceCommand,
    pidFiles: [],
    files: { "containers.conf": configuration },
    environment: (directory) => ({ CONTAINERS_CONF: join(directory, "containers.conf") }),
  });
}

/** The user who runs the rootless service, and the users of its containers; no user of the machine has these numbers. */
const user = { name: "slipway-test", id: 612_340, firstSubordinate: 700_000 };

/**
 * Runs a command as the user, whom only a mount namespace knows: $1 is the directory, the rest the command. What the user
 * mounts ends with the namespace.
 */
const asUser = `set -e
directory=$1; shift
for name in passwd subuid subgid; do
  cat /etc/$name "$directory/$name" >"$directory/all-$name" 2>/dev/null || cp "$directory/$name" "$directory/all-$name"
  [ -e /etc/$name ] || touch /etc/$name
  mount --bind "$directory/all-$name" /etc/$name
done
# Without udev only root may open it.
if [ -e /dev/net/tun ] && [ "$(stat --format=%a /dev/net/tun)" != 666 ]; then
  mknod --mode=666 "$directory/tun" c 10 200
  mount --bind "$directory/tun" /dev/net/tun
fi
mkdir -p "$directory/home" "$directory/run"
chown -R ${user.id}:${user.id} "$directory"
exec setpriv --reuid=${user.id} --regid=${user.id} --clear-groups "$@"`;

/** Starts podman's service as a user without rights. Needs newuidmap and slirp4netns. */
export function openRootlessPodman(): Promise<TestEngine> {
  const subordinates = `${user.name}:${user.firstSubordinate}:65536\n`;
  return openEngine({
    name: "podman",
    command: (directory, socketPath) => [
      "unshare",
      "--mount",
      "sh",
      "-c",
      asUser,
      "sh",
      directory,
      ...serviceCommand(directory, socketPath),
    ],
    pidFiles: [],
    files: {
      "containers.conf": configuration,
      passwd: `${user.name}:x:${user.id}:${user.id}::/:/bin/sh\n`,
      subuid: subordinates,
      subgid: subordinates,
    },
    environment: (directory) => ({
      CONTAINERS_CONF: join(directory, "containers.conf"),
      HOME: join(directory, "home"),
      XDG_RUNTIME_DIR: join(directory, "run"),
    }),
  });
}

function serviceCommand(directory: string, socketPath: string): readonly string[] {
  return [
    "podman",
    `--root=${join(directory, "root")}`,
    `--runroot=${join(directory, "runroot")}`,
    `--tmpdir=${join(directory, "tmp")}`,
    `--network-config-dir=${join(directory, "networks")}`,
    "system",
    "service",
    "--time=0",
    `unix://${socketPath}`,
  ];
}
