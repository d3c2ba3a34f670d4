import { join } from "node:path";

import { openEngine, type TestEngine } from "./test-engine.ts";

/** The engines of this process. */
let opened = 0;

/** A port at which Docker's daemon listens too, and its certificates in PEM. */
export interface DockerTls {
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

interface DockerOptions {
  readonly tls?: DockerTls;
  /** The size of the disk for its data (default: that of this machine's). */
  readonly diskBytes?: number;
}

/** Starts Docker's daemon, with its networks in a separate range; with TLS also at a port of 127.0.0.1. */
export function openDocker({ tls, diskBytes }: DockerOptions = {}): Promise<TestEngine> {
  opened += 1;
  // Several test runs may share a machine.
  const network = 64 + ((process.pid + opened * 97) % 128);
  return openEngine({
    name: "docker",
    command: (directory, socketPath) => [
      ...(diskBytes === undefined ? [] : withDisk(join(directory, "data"), diskBytes)),
      "dockerd",
      `--host=unix://${socketPath}`,
      `--data-root=${join(directory, "data")}`,
      `--exec-root=${join(directory, "exec")}`,
      `--pidfile=${join(directory, "pid")}`,
      "--bridge=none",
      `--default-address-pool=base=10.${network}.0.0/16,size=24`,
      ...(tls === undefined ? [] : tlsArguments(tls.port, directory)),
    ],
    files: tls === undefined ? {} : { "ca.pem": tls.ca, "cert.pem": tls.cert, "key.pem": tls.key },
    pidFiles: ["pid", "exec/containerd/containerd.pid"],
    environment: () => ({}),
  });
}

function tlsArguments(port: number, directory: string): readonly string[] {
  const files = { tlscacert: "ca.pem", tlscert: "cert.pem", tlskey: "key.pem" };
  return [
    `--host=tcp://127.0.0.1:${port}`,
    "--tlsverify",
    ...Object.entries(files).map(([flag, name]) => `--${flag}=${join(directory, name)}`),
  ];
}

/** Returns the words before a command that mount a disk for it, which is unmounted with the engine. */
function withDisk(path: string, bytes: number): readonly string[] {
  const script = `mkdir -p "$1" && mount -t tmpfs -o size=${bytes} tmpfs "$1" && shift && exec "$@"`;
  return ["sh", "-c", script, "sh", path];
}
