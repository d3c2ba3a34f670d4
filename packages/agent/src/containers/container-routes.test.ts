import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { silentLogger } from "@slipway/runtime";
import { createFakeClock, type FakeClock } from "@slipway/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { type RawData, WebSocket } from "ws";

import { openAgentContainers } from "../../tests/support/agent-containers.ts";
import { listenOnLoopback } from "../../tests/support/loopback-service.ts";
import { createApiService } from "../http/api-service.ts";
import type { AgentContainers } from "./agent-containers.ts";
import type { ContainerFeature } from "./container-feature.ts";
import { containerRoutes } from "./container-routes.ts";

interface Answer {
  readonly status: number | undefined;
  readonly body: {
    readonly devcontainers?: readonly { readonly id: string }[];
    readonly containers?: readonly unknown[];
    readonly warnings?: readonly string[];
  };
}

async function serve(feature: ContainerFeature): Promise<number> {
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  return listenOnLoopback(
    createApiService({
      routes: containerRoutes(feature),
      logger: silentLogger,
      signal: stopping.signal,
    }),
  );
}

async function ask(port: number, method: string, path: string): Promise<Answer> {
  const sent = request({ host: "127.0.0.1", port, method, path: `/api/v0/containers${path}` });
  sent.end();
  const [response] = await once(sent, "response");
  const body = await text(response);
  return { status: response.statusCode, body: body === "" ? {} : JSON.parse(body) };
}

function messageText(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString() : "";
}

/** Lists the containers, and returns the id of the first dev container. */
async function firstDevcontainer(port: number): Promise<string> {
  const { body } = await ask(port, "GET", "");
  return body.devcontainers?.[0]?.id ?? "";
}

interface Machine {
  readonly port: number;
  readonly clock: FakeClock;
  /** The directory of its programs. */
  readonly bin: string;
  /** The folder of a project, which exists. */
  readonly folder: string;
  readonly containers: AgentContainers;
  /** Writes a program of the machine as a shell script. */
  readonly install: (name: string, script: string) => void;
  /** Returns the commands that `docker` was called with. */
  readonly calls: () => readonly string[];
}

/** Serves the containers of a machine whose programs are shell scripts. */
async function openMachine(): Promise<Machine> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-containers-"));
  const bin = join(directory, "bin");
  const folder = join(directory, "site");
  for (const path of [bin, folder]) mkdirSync(path);
  // A real engine of this machine is out of sight.
  for (const tool of ["head", "seq", "sleep", "tr"])
    symlinkSync(`/usr/bin/${tool}`, join(bin, tool));
  const clock = createFakeClock(0);
  const containers = openAgentContainers({
    directory,
    settings: { discoversProjects: false, startsDiscovered: false },
    clock,
    environment: { PATH: bin, CODER_AGENT_TOKEN: "secret", FOLDER: folder },
  });
  const log = join(directory, "calls");
  writeFileSync(log, "");
  return {
    port: await serve({ isEnabled: true, access: containers }),
    clock,
    bin,
    folder,
    containers,
    install: (name, script) => {
      const path = join(bin, name);
      writeFileSync(path, `#!/bin/sh\necho "$@" >> ${log}\n${script}\n`);
      chmodSync(path, 0o700);
    },
    calls: () => readFileSync(log, "utf8").split("\n").filter(Boolean),
  };
}

/** Advances the clock to the next regular scan, and waits for its end. */
async function scanLater({ port, clock }: Machine): Promise<void> {
  // A request waits for the scan that is running.
  await ask(port, "GET", "");
  await expect.poll(() => clock.sleepers).toBe(1);
  await clock.advance(10_000);
  await ask(port, "GET", "");
}

const id = "a".repeat(64);

/** A `docker` that has one running dev container, as JSON that the script prints. */
function oneDevcontainer(folder: string): string {
  const container = {
    Id: id,
    Name: "/dev",
    Created: "2026-11-30T00:00:00Z",
    State: { Running: true },
    Config: { Image: "i", Labels: { "devcontainer.local_folder": folder } },
  };
  return `case $1 in ps) echo ${id} ;; inspect) echo '${JSON.stringify(container)}' ;; esac`;
}

describe("the routes of containers", () => {
  it.each([
    ["off", "CODER_AGENT_DEVCONTAINERS_ENABLE"],
    ["sub-agent", "dev container"],
  ] as const)("say at once that they are disabled: %s", async (reason, said) => {
    const port = await serve({ isEnabled: false, reason });
    const answer = await ask(port, "GET", "");
    expect(answer).toMatchObject({ status: 403, body: { message: expect.stringContaining(said) } });
    for (const path of ["/watch", "/devcontainers/x"]) {
      expect((await ask(port, "GET", path)).status).toBe(404);
    }
  });

  it("list none, with a warning, where no engine is installed", async () => {
    const { port } = await openMachine();
    expect(await ask(port, "GET", "")).toEqual({
      status: 200,
      body: {
        devcontainers: [],
        containers: [],
        warnings: ["neither docker nor podman is installed in the workspace"],
      },
    });
  });

  it("list the containers, by podman where only that is installed, without the agent's token", async () => {
    const machine = await openMachine();
    machine.install(
      "podman",
      `[ -z "$CODER_AGENT_TOKEN" ] || exit 1\n${oneDevcontainer(machine.folder)}`,
    );
    const { status, body } = await ask(machine.port, "GET", "");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      devcontainers: [{ name: "site", status: "running", container: { id } }],
      containers: [{ id, name: "dev", running: true }],
    });
  });

  it("share a scan between requests, and scan again after a second", async () => {
    const machine = await openMachine();
    machine.install("docker", oneDevcontainer(machine.folder));
    await Promise.all(Array.from({ length: 20 }, () => ask(machine.port, "GET", "")));
    expect(machine.calls()).toHaveLength(2);
    await machine.clock.advance(1_000);
    await ask(machine.port, "GET", "");
    expect(machine.calls()).toHaveLength(4);
  });

  it("say why a scan failed, and end a daemon that does not answer after 15 s", async () => {
    const machine = await openMachine();
    machine.install("docker", `echo 'no \u001b[2Jdaemon' >&2; exit 1`);
    expect(await ask(machine.port, "GET", "")).toMatchObject({
      status: 500,
      body: { message: "The containers cannot be listed.", detail: "no daemon" },
    });
    machine.install("docker", "exec sleep 60");
    await machine.clock.advance(1_000);
    const hanging = ask(machine.port, "GET", "");
    await expect.poll(() => machine.clock.sleepers).toBe(1);
    await machine.clock.advance(15_000);
    await machine.clock.advance(1_000);
    expect(await hanging).toMatchObject({
      status: 500,
      body: { detail: "docker ps did not end within 15 s: check its daemon" },
    });
  });

  it("list those that are left when one is removed meanwhile, whatever the engine says of it", async () => {
    const machine = await openMachine();
    machine.install(
      "docker",
      `if [ $1 = ps ]; then echo ${id}; [ -e $0.gone ] || echo ${"b".repeat(64)}; exit; fi
      [ -e $0.gone ] && { ${oneDevcontainer(machine.folder)}; exit; }
      : > $0.gone; echo 'Error: layer not known' >&2; exit 125`,
    );
    const { status, body } = await ask(machine.port, "GET", "");
    expect(status).toBe(200);
    expect(body).toMatchObject({ containers: [{ id }] });
    expect(body).not.toHaveProperty("warnings");
    machine.install("docker", `[ $1 = ps ] && { echo ${id}; exit; }; echo 'no room' >&2; exit 1`);
    await machine.clock.advance(1_000);
    expect(await ask(machine.port, "GET", "")).toMatchObject({
      status: 500,
      body: { detail: "no room" },
    });
  });

  it("give all commands of a scan 15 s together", async () => {
    const machine = await openMachine();
    machine.install(
      "docker",
      `[ $1 = ps ] || exec sleep 60
      echo ${id}; while [ ! -e $0.release ]; do sleep 0.02; done`,
    );
    const hanging = ask(machine.port, "GET", "");
    await expect.poll(() => machine.clock.sleepers).toBe(1);
    await machine.clock.advance(9_000);
    writeFileSync(join(machine.bin, "docker.release"), "");
    await expect.poll(() => machine.calls().length).toBe(2);
    await expect.poll(() => machine.clock.sleepers).toBe(1);
    await machine.clock.advance(6_000);
    await machine.clock.advance(1_000);
    expect(await hanging).toMatchObject({
      status: 500,
      body: { detail: "docker inspect did not end within 6 s: check its daemon" },
    });
  });

  it("bound what a machine full of containers, or a hostile label, makes of them", async () => {
    const machine = await openMachine();
    const label = `{"Id":"${id}","Config":{"Labels":{"a":"${"x".repeat(4000)}","b":"${"y".repeat(4000)}"}}}`;
    machine.install(
      "docker",
      `case $1 in
      ps) seq -f "%064.0f" 1 1500 ;;
      inspect) shift 5; echo $# >> $0.count; echo '{"Id":'; for one in "$@"; do echo '${label}'; done ;;
      esac`,
    );
    const { body } = await ask(machine.port, "GET", "");
    expect(JSON.stringify(body).length).toBeLessThan(4 * 1024 * 1024);
    const listed = body.containers?.length ?? 0;
    expect(listed).toBeGreaterThan(300);
    expect(body.warnings).toEqual([
      `${1500 - listed} more containers are not listed`,
      "the description of a container is not a JSON object",
    ]);
    machine.install(
      "docker",
      `[ $1 = ps ] && { echo ${id}; exit; }; head -c 3000000 /dev/zero | tr '\\0' x`,
    );
    await machine.clock.advance(1_000);
    expect(await ask(machine.port, "GET", "")).toMatchObject({
      status: 500,
      body: { detail: "the output of docker inspect has more than 1048576 bytes" },
    });
  });

  it("show watchers the list, and each change of it", async () => {
    const machine = await openMachine();
    machine.install("docker", oneDevcontainer(machine.folder));
    const socket = new WebSocket(`ws://127.0.0.1:${machine.port}/api/v0/containers/watch`);
    const seen: string[] = [];
    socket.on("message", (data) => void seen.push(messageText(data)));
    await expect.poll(() => seen.length).toBe(1);
    expect(JSON.parse(seen[0] ?? "")).toMatchObject({ devcontainers: [{ status: "running" }] });
    await scanLater(machine);
    machine.install("docker", "exit 0");
    await scanLater(machine);
    await expect.poll(() => seen.length).toBe(2);
    expect(JSON.parse(seen[1] ?? "")).toEqual({ devcontainers: [], containers: [] });
    await machine.containers.close();
    const [code] = await once(socket, "close");
    expect(code).toBe(1000);
  });

  it("delete a dev container by its id, after they have looked whether it still is one", async () => {
    const machine = await openMachine();
    machine.install("docker", oneDevcontainer(machine.folder));
    const devcontainer = await firstDevcontainer(machine.port);
    expect(await ask(machine.port, "DELETE", `/devcontainers/${devcontainer}`)).toEqual({
      status: 204,
      body: {},
    });
    expect(machine.calls().filter((call) => /^(?:stop|rm)/.test(call))).toEqual([
      `stop ${id}`,
      `rm --force --volumes ${id}`,
    ]);
    expect((await ask(machine.port, "DELETE", "/devcontainers/x")).status).toBe(404);
    expect((await ask(machine.port, "POST", "/devcontainers/x/recreate")).status).toBe(404);
  });

  it("leave a container alone whose labels say meanwhile that it is another one", async () => {
    const machine = await openMachine();
    machine.install("docker", oneDevcontainer(machine.folder));
    const devcontainer = await firstDevcontainer(machine.port);
    machine.install("docker", oneDevcontainer("/elsewhere"));
    await ask(machine.port, "DELETE", `/devcontainers/${devcontainer}`);
    // That folder belongs to another machine with the same engine.
    const { body } = await ask(machine.port, "GET", "");
    expect(body).toMatchObject({ devcontainers: [], containers: [{ id }] });
    expect(machine.calls().filter((call) => /^(?:stop|rm)/.test(call))).toEqual([]);
  });

  it("recreate a dev container in the background, one operation at a time", async () => {
    const machine = await openMachine();
    machine.install("docker", oneDevcontainer(machine.folder));
    const devcontainer = await firstDevcontainer(machine.port);
    const release = join(machine.folder, "release");
    machine.install(
      "devcontainer",
      `while [ ! -e ${release} ]; do sleep 0.02; done; echo '{"outcome":"error","message":"no disk"}'; exit 1`,
    );
    const path = `/devcontainers/${devcontainer}`;
    expect(await ask(machine.port, "POST", `${path}/recreate`)).toMatchObject({ status: 202 });
    expect(await ask(machine.port, "POST", `${path}/recreate`)).toMatchObject({ status: 409 });
    expect(await ask(machine.port, "DELETE", path)).toMatchObject({ status: 409 });
    const list = async () => (await ask(machine.port, "GET", "")).body.devcontainers;
    expect(await list()).toMatchObject([{ status: "starting" }]);
    writeFileSync(release, "");
    await expect.poll(list).toMatchObject([{ status: "running" }]);
    expect(machine.calls().filter((call) => call.startsWith("up"))).toEqual([
      `up --log-format json --remove-existing-container --workspace-folder ${machine.folder}`,
    ]);
  });
});
