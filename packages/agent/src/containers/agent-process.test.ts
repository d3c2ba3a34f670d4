import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { isAlive, openCommandHost, shellCommand } from "../../tests/support/command-host.ts";
import { spawnGroup } from "../process/spawn-group.ts";
import { prepareAgent } from "./agent-process.ts";
import { Engine } from "./engine.ts";

it("runs an agent until the connection to the engine ends, and keeps its token out of the command line", async () => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-agent-process-"));
  const commands = openCommandHost();
  onTestFinished(() => {
    commands[Symbol.dispose]();
    rmSync(directory, { recursive: true });
  });
  // An engine that runs the command here, and an agent that ends gracefully.
  const engineProgram = join(directory, "docker");
  writeFileSync(
    engineProgram,
    `#!/bin/sh\nfor last in "$@"; do :; done\necho "$@" > ${directory}/words
while [ "$1" != /bin/sh ]; do shift; done
shell=$1 flag=$2 script=$3; exec "$shell" "$flag" "$script" sh ${directory}/agent`,
  );
  writeFileSync(
    join(directory, "agent"),
    `#!/bin/sh\ntrap 'echo stopped > ${directory}/end; exit' TERM
echo "$$ $CODER_AGENT_TOKEN" > ${directory}/begun.part; mv ${directory}/begun.part ${directory}/begun
while :; do sleep 0.01; done`,
  );
  for (const name of ["docker", "agent"]) chmodSync(join(directory, name), 0o700);
  const engine = new Engine({
    commands,
    prepare: async () => ({
      ...shellCommand("true"),
      environment: { PATH: `${directory}:/usr/bin:/bin` },
    }),
  });
  const command = await prepareAgent(engine, {
    program: { directory, id: "release", architecture: "amd64" },
    containerId: "box",
    user: "ada",
    serverUrl: "http://slipway.test",
    token: "the-token",
  });
  const group = await spawnGroup(command, {
    pipes: commands.pipes,
    joinOutput: true,
    hasInput: true,
  });
  commands.groups.started(group.pid);
  await expect.poll(() => existsSync(join(directory, "begun"))).toBe(true);
  const [pid = "", token] = readFileSync(join(directory, "begun"), "utf8").trim().split(" ");
  expect(token).toBe("the-token");
  const words = readFileSync(join(directory, "words"), "utf8");
  expect(words).toContain(
    "--user ada --env CODER_AGENT_TOKEN --env CODER_AGENT_URL=http://slipway.test",
  );
  expect(words).not.toContain("the-token");
  // The engine's client goes, as with an agent that is killed.
  group.stdin?.destroy();
  await group.exit;
  await expect.poll(() => isAlive(Number(pid))).toBe(false);
  expect(readFileSync(join(directory, "end"), "utf8")).toBe("stopped\n");
});
