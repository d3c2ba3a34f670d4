import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { silentLogger } from "@slipway/runtime";
import { createFakeClock, type FakeClock } from "@slipway/testkit";
import { describe, expect, it, onTestFinished } from "vitest";

import { isAlive, openCommandHost, shellCommand } from "../../tests/support/command-host.ts";
import type { Container } from "./container.ts";
import { Devcontainers } from "./devcontainers.ts";
import type { NewSubAgent } from "./sub-agent.ts";
import { SubAgents } from "./sub-agents.ts";

function container(change: Partial<Container> = {}): Container {
  return {
    created_at: "2026-11-30T01:00:00.000Z",
    id: "a".repeat(64),
    name: "box",
    image: "image",
    labels: { "devcontainer.local_folder": "/p" },
    running: true,
    ports: [],
    status: "running",
    volumes: {},
    ...change,
  };
}

interface World {
  readonly clock: FakeClock;
  readonly devcontainers: Devcontainers;
  readonly subAgents: SubAgents;
  /** Applies a list of containers. */
  readonly scan: (...containers: readonly Container[]) => void;
  /** The calls to the server, in order. */
  readonly calls: readonly string[];
  /** The log of the dev container. */
  readonly log: readonly string[];
  /** The lines that agents have written. */
  readonly written: () => readonly string[];
}

interface WorldOptions {
  /** The agent as a shell script; it has the file `$OUT`. */
  readonly script: string;
  readonly isIgnored?: boolean;
  /** The names that other agents have. */
  readonly taken?: readonly string[];
  readonly old?: readonly string[];
}

function openWorld({ script, isIgnored = false, taken = [], old = [] }: WorldOptions): World {
  const directory = mkdtempSync(join(tmpdir(), "slipway-sub-agents-"));
  const out = join(directory, "out");
  writeFileSync(out, "");
  const clock = createFakeClock(0);
  const commands = openCommandHost();
  const devcontainers = new Devcontainers();
  const calls: string[] = [];
  const log: string[] = [];
  const subAgents = new SubAgents({
    containers: { devcontainers, notify: () => undefined },
    setup: {
      plan: async ({ subAgentId }) => {
        calls.push("plan");
        if (isIgnored) return undefined;
        return {
          id: subAgentId,
          names: ["p", "a-p", "b-a-p", "c-b-a-p", "d-c-b-a-p", "e-d-c-b-a-p"],
          directory: "/workspaces/p",
          architecture: "amd64",
          displayApps: [],
          apps: [],
          prepare: async (token) => {
            const command = shellCommand(script);
            return { ...command, environment: { ...command.environment, TOKEN: token, OUT: out } };
          },
        };
      },
    },
    server: {
      create: async ({ name }: NewSubAgent) => {
        calls.push(`create ${name}`);
        if (taken.includes(name)) throw new Error(`workspace agent name "${name}" is taken`);
        return { id: "one", name, token: "the-token", appErrors: ["app web: bad"] };
      },
      remove: async (id) => void calls.push(`remove ${id}`),
      list: async () => old,
    },
    commands: { ...commands, clock },
    log: (_, line) => void log.push(line),
    logger: silentLogger,
  });
  onTestFinished(async () => {
    await subAgents.close();
    commands[Symbol.dispose]();
    rmSync(directory, { recursive: true });
  });
  return {
    clock,
    devcontainers,
    subAgents,
    scan: (...containers) => {
      devcontainers.update(containers, () => true);
      subAgents.follow(devcontainers.all());
    },
    calls,
    log,
    written: () => readFileSync(out, "utf8").split("\n").filter(Boolean),
  };
}

/** An agent that runs until its stdin ends. */
const patient = `echo "$TOKEN" >> $OUT; echo ready; cat >/dev/null; echo ended >> $OUT`;

describe("SubAgents", () => {
  it("run from the start of a container to its end", async () => {
    const world = openWorld({ script: patient, old: ["stale"] });
    world.scan(container());
    await expect.poll(world.written).toEqual(["the-token"]);
    await expect.poll(() => world.log).toEqual(["app web: bad", "ready"]);
    expect(world.devcontainers.list()).toMatchObject([
      { agent: { id: "one", name: "p", directory: "/workspaces/p" } },
    ]);
    // A second scan changes nothing.
    world.scan(container());
    world.scan(container({ running: false }));
    await expect.poll(world.written).toEqual(["the-token", "ended"]);
    await expect
      .poll(() => world.calls)
      .toEqual(["plan", "remove stale", "create p", "remove one"]);
    expect(world.devcontainers.list()[0]).not.toHaveProperty("agent");
  });

  it("are started again with the same identity, later and later", async () => {
    const world = openWorld({ script: "echo once >> $OUT; exit 3" });
    world.scan(container());
    for (const [count, waitMs] of [2_000, 4_000, 8_000].entries()) {
      await expect.poll(() => world.clock.sleepers).toBe(1);
      expect(world.written()).toHaveLength(count + 1);
      await world.clock.advance(waitMs);
      await expect.poll(() => world.written().length).toBe(count + 2);
    }
    expect(world.log).toContain("the agent in the container ended: code 3");
    expect(world.calls.filter((call) => call.startsWith("create"))).toEqual(["create p"]);
  });

  it("get a longer name if theirs is taken, and give up after five", async () => {
    const world = openWorld({ script: patient, taken: ["p", "a-p"] });
    world.scan(container());
    await expect.poll(world.written).toHaveLength(1);
    expect(world.devcontainers.list()[0]?.agent?.name).toBe("b-a-p");
    const names = ["p", "a-p", "b-a-p", "c-b-a-p", "d-c-b-a-p"];
    const full = openWorld({ script: patient, taken: names });
    full.scan(container());
    await expect.poll(() => full.log).toEqual(['workspace agent name "d-c-b-a-p" is taken']);
    expect(full.calls).toEqual(["plan", ...names.map((name) => `create ${name}`)]);
  });

  it("do not run where the configuration wants none, nor during an operation", async () => {
    const world = openWorld({ script: patient, isIgnored: true });
    world.scan(container());
    await expect.poll(() => world.calls).toEqual(["plan"]);
    world.scan(container());
    world.scan(container());
    expect(world.calls).toEqual(["plan"]);
    const busy = openWorld({ script: patient });
    const id = busy.devcontainers.discover({ folder: "/p", configPath: undefined }) ?? "";
    busy.devcontainers.begin(id, "starting");
    busy.scan(container());
    expect(busy.calls).toEqual([]);
    busy.devcontainers.finish(id);
    busy.scan(container());
    await expect.poll(busy.written).toEqual(["the-token"]);
  });

  it("are killed if they do not end, so that the next owner need not wait", async () => {
    const world = openWorld({ script: "echo $$ >> $OUT; exec sleep 60" });
    world.scan(container());
    await expect.poll(world.written).toHaveLength(1);
    const [pid = ""] = world.written();
    const closed = world.subAgents.close();
    await expect.poll(() => world.clock.sleepers).toBe(1);
    expect(isAlive(Number(pid))).toBe(true);
    await world.clock.advance(7_000);
    await closed;
    expect(isAlive(Number(pid))).toBe(false);
  });

  it("follow a container that was replaced", async () => {
    const world = openWorld({ script: patient });
    world.scan(container());
    await expect.poll(world.written).toHaveLength(1);
    const next = container({ id: "b".repeat(64) });
    world.scan(next);
    await expect.poll(world.written).toEqual(["the-token", "ended"]);
    await expect.poll(() => world.calls).toContain("remove one");
    world.scan(next);
    await expect.poll(world.written).toEqual(["the-token", "ended", "the-token"]);
  });

  it("leaves the agent that a template defines to the template", async () => {
    const world = openWorld({ script: patient, old: ["given"] });
    const id = "6f1c5a55-6c5e-4ad5-8e7c-111111111111";
    const place = { folder: "/p", configPath: undefined };
    world.devcontainers.declare({ ...place, id, name: "p", subAgentId: "given" });
    world.devcontainers.finish(id);
    world.scan(container());
    await expect.poll(world.written).toHaveLength(1);
    await world.subAgents.close();
    expect(world.calls).toEqual(["plan", "create p"]);
  });
});
