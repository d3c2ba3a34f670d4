import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import { problemsOf } from "../../../tests/support/settings-problems.ts";
import { readSettings } from "./settings.ts";

const read = (source: Readonly<Record<string, string>>) => readSettings(source, false).docker;

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-docker-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

const off = { SLIPWAY_DOCKER_HOST: "off" };

describe("the settings of docker", () => {
  it("need nothing", () => {
    expect(read(off)).toEqual({
      endpoint: undefined,
      allow: new Set(),
      runtimes: ["runc", "crun"],
      network: undefined,
      accessUrl: undefined,
      configFile: undefined,
    });
  });

  it("are read from their variables", async () => {
    const certPath = await makeDirectory();
    for (const name of ["ca", "cert", "key"]) await writeFile(join(certPath, `${name}.pem`), name);
    const settings = read({
      SLIPWAY_DOCKER_HOST: "tcp://docker.example.com",
      SLIPWAY_DOCKER_CERT_PATH: certPath,
      SLIPWAY_DOCKER_ALLOW: "devices, binds,devices",
      SLIPWAY_DOCKER_RUNTIMES: "runc, runsc",
      SLIPWAY_DOCKER_NETWORK: "build",
      SLIPWAY_DOCKER_ACCESS_URL: "http://10.0.0.1:3000/",
      SLIPWAY_DOCKER_CONFIG: "/root/.docker/config.json",
    });
    expect(settings).toEqual({
      endpoint: {
        url: "https://docker.example.com:2376",
        tls: { ca: "ca", cert: "cert", key: "key" },
      },
      allow: new Set(["devices", "binds"]),
      runtimes: ["runc", "runsc"],
      network: "build",
      accessUrl: "http://10.0.0.1:3000",
      configFile: "/root/.docker/config.json",
    });
  });

  it.each([
    [{ DOCKER_HOST: "unix:///run/a.sock" }, { socketPath: "/run/a.sock" }],
    [
      { DOCKER_HOST: "unix:///run/a.sock", SLIPWAY_DOCKER_HOST: "unix:///run/b.sock" },
      { socketPath: "/run/b.sock" },
    ],
    [{ DOCKER_HOST: "tcp://localhost" }, { url: "http://localhost:2375", tls: undefined }],
    [{ SLIPWAY_DOCKER_HOST: "tcp://[::1]:99" }, { url: "http://[::1]:99", tls: undefined }],
  ])("take %j for the endpoint %j", (source, endpoint) => {
    expect(read(source).endpoint).toEqual(endpoint);
  });

  it("find the socket of a rootless engine where the system has none", async () => {
    const runtimeDir = await makeDirectory();
    await mkdir(join(runtimeDir, "podman"));
    const socketPath = join(runtimeDir, "podman", "podman.sock");
    const found = () => read({ XDG_RUNTIME_DIR: runtimeDir }).endpoint;
    const system = { socketPath: "/var/run/docker.sock" };
    expect(found()).toEqual(system);
    await writeFile(socketPath, "");
    expect([system, { socketPath }]).toContainEqual(found());
    // A variable of Docker that names no socket that we can use is not ours.
    expect(read({ DOCKER_HOST: "ssh://x", XDG_RUNTIME_DIR: "relative" }).endpoint).toEqual(system);
  });

  it.each([
    [{ SLIPWAY_DOCKER_HOST: "ssh://x" }, "unix:///path, tcp://host:port or off"],
    [{ SLIPWAY_DOCKER_HOST: "unix://x" }, "unix:///path, tcp://host:port or off"],
    [{ SLIPWAY_DOCKER_HOST: "tcp://x:2376" }, "with SLIPWAY_DOCKER_CERT_PATH"],
    [
      { SLIPWAY_DOCKER_HOST: "tcp://x:2376", SLIPWAY_DOCKER_CERT_PATH: "/no/such" },
      "can be read (ENOENT",
    ],
    [{ SLIPWAY_DOCKER_ALLOW: "devices,root" }, "some of privileged, host-network, host-pid"],
    [{ SLIPWAY_DOCKER_RUNTIMES: "runc,a b" }, "names of OCI runtimes"],
    [{ SLIPWAY_DOCKER_NETWORK: "host" }, "a Docker network other than host and none"],
    [{ SLIPWAY_DOCKER_ACCESS_URL: "ftp://x" }, "http:// or https://"],
  ])("refuse %j", (source, wanted) => {
    expect(problemsOf(source)).toEqual([expect.stringContaining(wanted)]);
  });
});
