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
    command: (directory, socketPath) => [
      "podman",
      `--root=${join(directory, "root")}`,
      `--runroot=${join(directory, "runroot")}`,
      `--tmpdir=${join(directory, "tmp")}`,
      `--network-config-dir=${join(directory, "networks")}`,
      "system",
      "service",
      "--time=0",
      `unix://${socketPath}`,
    ],
    pidFiles: [],
    files: { "containers.conf": configuration },
    environment: (directory) => ({ CONTAINERS_CONF: join(directory, "containers.conf") }),
  });
}
