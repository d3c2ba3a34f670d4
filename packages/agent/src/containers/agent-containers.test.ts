import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createFakeClock } from "@slipway/testkit";
import { expect, it } from "vitest";

import { openAgentContainers } from "../../tests/support/agent-containers.ts";
import type { AgentContainers } from "./agent-containers.ts";

interface Machine {
  readonly home: string;
  readonly containers: AgentContainers;
  /** The commands of `devcontainer`, in order. */
  readonly calls: () => readonly string[];
  /** The log of the dev containers. */
  readonly log: readonly string[];
}

/** A machine with the projects `app` and `site`, whose dev containers ask to be started and run already. */
function openMachine(startsDiscovered: boolean): Machine {
  const home = mkdtempSync(join(tmpdir(), "slipway-agent-containers-"));
  const callsPath = join(home, "calls");
  writeFileSync(callsPath, "");
  const install = (name: string, script: string): void => {
    const path = join(home, "bin", name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o700);
  };
  mkdirSync(join(home, "bin"));
  // Git lists the configurations in order.
  execFileSync("git", ["init", "--quiet", home]);
  const found = ["app", "site"].map((name, at) => {
    mkdirSync(join(home, name));
    writeFileSync(join(home, name, ".devcontainer.json"), "{}");
    return JSON.stringify({
      Id: String(at).repeat(64),
      Name: `/${name}`,
      State: { Running: true },
      Config: { Image: "i", Labels: { "devcontainer.local_folder": join(home, name) } },
    });
  });
  install(
    "docker",
    `case $1 in ps) echo x ;; inspect) cat <<'END'\n${found.join("\n")}\nEND\nesac`,
  );
  const read = '{"configuration":{"customizations":{"coder":{"autoStart":true}}}}';
  install(
    "devcontainer",
    `case $1 in up) echo "$@" >>${callsPath}; echo '{"outcome":"success","containerId":"c"}' ;; *) echo '${read}' ;; esac`,
  );
  const lines: string[] = [];
  const containers = openAgentContainers({
    directory: home,
    settings: { discoversProjects: true, startsDiscovered },
    // No regular scan comes.
    clock: createFakeClock(0),
    environment: { HOME: home, PATH: `${home}/bin:/usr/bin:/bin` },
    log: (_devcontainer, line) => void lines.push(line),
  });
  const calls = (): readonly string[] =>
    readFileSync(callsPath, "utf8").split("\n").filter(Boolean);
  return { home, containers, calls, log: lines };
}

const { signal } = new AbortController();

/** Declares the dev container of `app`, and creates it as the start of a session does. */
async function startApp({ home, containers }: Machine): Promise<void> {
  const place = { folder: join(home, "app"), configPath: undefined };
  const id = crypto.randomUUID();
  containers.declare([{ ...place, id, name: "front", subAgentId: undefined }]);
  expect(await containers.start(id, signal)).toBe(true);
  containers.begin(home);
}

it("starts each dev container once, those of the template first, also if it runs", async () => {
  const machine = openMachine(true);
  const { home, containers, calls } = machine;
  await startApp(machine);
  await expect.poll(() => calls().length).toBe(2);
  const up = (name: string) => expect.stringContaining(`--workspace-folder ${join(home, name)}`);
  expect(calls()).toEqual([up("app"), up("site")]);
  const { devcontainers } = await containers.list(signal);
  expect(devcontainers.map(({ name }) => name)).toEqual(["front", "site"]);
});

it("prepares the agents of dev containers at once", async () => {
  const machine = openMachine(false);
  await startApp(machine);
  // One line of each: the containers lack what an agent needs.
  await expect.poll(() => machine.log.length).toBe(2);
});
