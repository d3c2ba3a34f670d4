import { join } from "node:path";

import { openEngine, type TestEngine } from "./test-engine.ts";

/** The engines of this process. */
let opened = 0;

/** Starts Docker's daemon, with its networks in a separate range. */
export function openDocker(): Promise<TestEngine> {
  opened += 1;
  // Several test runs may share a machine.
  const network = 64 + ((process.pid + opened * 97) % 128);
  return openEngine({
    name: "docker",
    command: (directory, socketPath) => [
      "dockerd",
      `--host=unix://${socketPath}`,
      `--data-root=${join(directory, "data")}`,
      `--exec-root=${join(directory, "exec")}`,
      `--pidfile=${join(directory, "pid")}`,
      "--bridge=none",
      `--default-address-pool=base=10.${network}.0.0/16,size=24`,
    ],
    files: {},
    pidFiles: ["pid", "exec/containerd/containerd.pid"],
    environment: () => ({}),
  });
}
