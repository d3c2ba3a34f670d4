import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { DockerDriver, DriverBuild, DriverEvent, DriverLog } from "@slipway/drivers";
import { describeDriver } from "@slipway/testkit/compliance";
import { packBox, type TestEngine } from "@slipway/testkit/engines";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import {
  answerAt,
  boxAgent,
  boxBuild,
  boxContainer,
  containerOf,
  inside,
  keepShared,
  leftovers,
  openDriver,
  ownAddress,
  signal,
  silent,
} from "./support/driver-stage.ts";
import { packFiles } from "./support/pack-files.ts";

interface EngineTraits {
  /** False for an engine that cannot limit resources: rootless ones need control groups of version 2 with delegation. */
  readonly hasLimits: boolean;
}

/** The guarantees of the driver on every engine. */
export function describeEngine(
  name: string,
  open: () => Promise<TestEngine>,
  { hasLimits }: EngineTraits,
): void {
  describe(`the driver docker on ${name}`, () => {
    let engine: TestEngine;
    let driver: DockerDriver;

    beforeAll(async () => {
      engine = await open();
      driver = await openDriver(engine);
      await keepShared(engine);
    });

    afterAll(() => engine[Symbol.asyncDispose]());

    async function remove(build: DriverBuild = boxBuild()): Promise<void> {
      await driver.delete({ ...build, transition: "delete" }, silent, signal);
    }

    afterEach(() => remove());

    describeDriver(`docker, on ${name}`, async () => ({
      driver,
      reopen: () => driver,
      seesAgents: true,
      agent: () => boxAgent(),
      [Symbol.asyncDispose]: () => remove(),
    }));

    it("runs the agent and nothing of ours as root, as a user whom the image lacks", async () => {
      const build = boxBuild();
      await driver.start(build, silent, signal);
      expect(await inside(engine, build, "id", "-un")).toBe("dev");
      const home = await inside(
        engine,
        build,
        "sh",
        "-c",
        "cd && pwd && touch here && stat -c %U here .",
      );
      expect(home).toBe("/home/dev\ndev\ndev");
      const processes = await inside(engine, build, "ps", "-o", "user,args");
      expect(processes).toContain("/slipway/agent/dist/agent.cjs");
      expect(processes).not.toContain("root");
    });

    it("keeps volumes when the workspace stops, and nothing else", async () => {
      const build = boxBuild();
      const { state } = await driver.start(build, silent, signal);
      await inside(engine, build, "sh", "-c", "echo kept >~/file; echo lost >/tmp/file");
      const stop = {
        ...build,
        id: "build-2",
        number: 2,
        transition: "stop",
        readState: async () => state,
      } as const;
      const stopped = await driver.stop(stop, silent, signal);
      expect(stopped.resources).toEqual([
        expect.objectContaining({ type: "volume", name: "home" }),
      ]);
      const again = {
        ...build,
        id: "build-3",
        number: 3,
        readState: async () => stopped.state,
      } as const;
      await driver.start(again, silent, signal);
      expect(await inside(engine, again, "sh", "-c", "cat ~/file; cat /tmp/file; true")).toBe(
        "kept",
      );
      await remove(again);
      expect(await leftovers(engine, build)).toBe("");
    });

    it("gives a user of a later image the files of the volume", async () => {
      // An image in which the first uid is taken.
      const input = await packBox("node:x:1000:1000::/:/bin/sh\n");
      await engine.docker(["import", "-", "crowded:1"], { input });
      const build = boxBuild(boxContainer({ image: "crowded:1" }));
      await driver.start(build, silent, signal);
      await inside(engine, build, "touch", "/home/dev/file");
      await driver.stop({ ...build, transition: "stop" }, silent, signal);
      const volumes = [{ name: "home", path: "/home/ada", isReadOnly: false }];
      const later = boxBuild(boxContainer({ user: "ada", volumes }), { id: "build-2", number: 2 });
      await driver.start(later, silent, signal);
      expect(await inside(engine, later, "stat", "-c", "%U %u", "/home/ada/file")).toBe("ada 1001");
    });

    it("runs the template's command beside the agent, without the agent's token", async () => {
      const onTerm = "echo ended >~/ended; exit";
      const script = `trap '${onTerm}' TERM; env >/tmp/env; echo "$0" >/tmp/name; while :; do sleep 100 & wait; done`;
      const command = ["sh", "-c", script, "a b;c"];
      const build = boxBuild(boxContainer({ command, environment: { COLOR: "blue $(id)" } }));
      const { state } = await driver.start(build, silent, signal);
      await expect
        .poll(() => inside(engine, build, "cat", "/tmp/name").catch(() => ""))
        .toBe("a b;c");
      const environment = await inside(engine, build, "cat", "/tmp/env");
      expect(environment).toContain("COLOR=blue $(id)");
      expect(environment).not.toContain("CODER_AGENT_TOKEN");
      await driver.stop(
        { ...build, transition: "stop", readState: async () => state },
        silent,
        signal,
      );
      const again = boxBuild(undefined, { id: "build-2", number: 2 });
      await driver.start(again, silent, signal);
      expect(await inside(engine, again, "cat", "/home/dev/ended")).toBe("ended");
    });

    it("builds the image of a Dockerfile, shows its steps and removes it with the workspace", async () => {
      const directory = await mkdtemp(join(tmpdir(), "slipway-test-"));
      await writeFile(
        join(directory, "Dockerfile"),
        "FROM box:1\nRUN echo a step && touch /built\n",
      );
      const image = { dockerfile: "Dockerfile", context: ".", target: "", args: {} };
      const template = { ...boxBuild().template, directory };
      const build = boxBuild(boxContainer({ image: "", build: image }), { template });
      const lines: string[] = [];
      const log: DriverLog = { write: (_level, _stage, line) => void lines.push(line) };
      await driver.start(build, log, signal);
      expect(lines).toContain("a step");
      expect(await inside(engine, build, "ls", "/built")).toBe("/built");
      await remove(build);
      expect(await leftovers(engine, build)).toBe("");
      await rm(directory, { recursive: true });
    });

    it("reaps processes that lost their parents", async () => {
      const build = boxBuild();
      await driver.start(build, silent, signal);
      await inside(engine, build, "sh", "-c", "for i in 1 2 3; do (true & ) ; done");
      await expect
        .poll(() =>
          inside(engine, build, "sh", "-c", "ps -o stat | grep -c Z; true").catch(() => ""),
        )
        .toBe("0");
    });

    it("runs the agent as a number, which gets new volumes", async () => {
      const volumes = [{ name: "data", path: "/data/deep", isReadOnly: false }];
      const build = boxBuild(boxContainer({ user: "1234", volumes }));
      await driver.start(build, silent, signal);
      expect(await inside(engine, build, "id", "-u")).toBe("1234");
      expect(await inside(engine, build, "stat", "-c", "%u", "/data/deep")).toBe("1234");
    });

    const limits = { memoryBytes: 256 * 1024 * 1024, cpus: 0.5, pids: 200 };

    const passesLimits = async (): Promise<void> => {
      const build = boxBuild(boxContainer(limits));
      await driver.start(build, silent, signal);
      const format = "{{json .HostConfig}}";
      const config = await engine.docker(["inspect", "-f", format, containerOf(build)]);
      expect(JSON.parse(config)).toMatchObject({
        Memory: 256 * 1024 * 1024,
        PidsLimit: 200,
        Privileged: false,
      });
      expect(config).toMatch(/NET_RAW/);
    };
    // A rootless engine has them where the machine delegates its control groups.
    if (hasLimits) it("passes limits on", passesLimits);

    it("reports the end of a container once, with what ended it", async () => {
      const events: DriverEvent[] = [];
      const ended = new AbortController();
      const watching = driver.watch((event) => events.push(event), ended.signal);
      const reason = new Error("seen enough");
      const isOver = expect(watching).rejects.toBe(reason);
      await expect.poll(() => events).toEqual([{ kind: "watching" }]);
      const build = boxBuild();
      await driver.start(build, silent, signal);
      await engine.docker(["kill", containerOf(build)]);
      await expect.poll(() => events).toHaveLength(2);
      expect(events[1]).toMatchObject({
        kind: "ended",
        workspaceId: build.workspace.id,
        agentId: "agent-main",
        exitCode: 137,
      });
      expect(
        await driver.observe(
          { workspaceId: build.workspace.id, agents: build.agents, state: undefined },
          signal,
        ),
      ).toEqual({
        agents: [{ id: "agent-main", status: "absent" }],
      });
      ended.abort(reason);
      await isOver;
    });

    it("neither uses nor removes what is only named or labelled like ours", async () => {
      const build = boxBuild();
      await driver.start(build, silent, signal);
      const format = "{{range $name, $value := .Config.Labels}}{{$name}}={{$value}} {{end}}";
      const labels = await engine.docker(["inspect", "-f", format, containerOf(build)]);
      const copied = labels
        .trim()
        .split(" ")
        .flatMap((label) => ["--label", label]);
      await engine.docker([
        "run",
        "-d",
        "--name",
        "copy",
        "--network",
        "none",
        ...copied,
        "box:1",
        "sleep",
        "1000",
      ]);
      await engine.docker([
        "volume",
        "create",
        ...copied,
        "--label",
        "slipway.kind=volume",
        "volume-copy",
      ]);
      // A volume of another workspace.
      const other = "slipway-other-home";
      const kept = copied.map((label) => label.replaceAll(build.workspace.id, "other"));
      const marks = ["--label", "slipway.kind=volume", "--label", `slipway.name=${other}`];
      await engine.docker(["volume", "create", ...kept, ...marks, other]);
      await remove(build);
      expect(await engine.docker(["inspect", "-f", "{{.State.Running}}", "copy"])).toBe("true\n");
      expect(await engine.docker(["volume", "inspect", "-f", "{{.Name}}", "volume-copy"])).toBe(
        "volume-copy\n",
      );
      await engine.docker(["rm", "-f", "copy"]);
      expect(await engine.docker(["volume", "ls", "-q"])).toContain(other);
      await engine.docker(["volume", "rm", "volume-copy", other]);
      // The name without the labels.
      await engine.docker(["create", "--name", containerOf(build), "box:1", "true"]);
      await expect(driver.start(build, silent, signal)).rejects.toThrow(
        "was not created by this server",
      );
      await remove(build);
      expect(await engine.docker(["ps", "-aq", "--filter", `name=${containerOf(build)}`])).not.toBe(
        "",
      );
      await engine.docker(["rm", containerOf(build)]);
      const volume = `slipway-${build.workspace.id}-home`;
      await engine.docker(["volume", "create", volume]);
      const mount = ["--network", "none", "-v", `${volume}:/data`, "box:1", "touch", "/data/file"];
      await engine.docker(["run", "--rm", ...mount]);
      await expect(driver.start(build, silent, signal)).rejects.toThrow(
        "was not created by this server",
      );
      await remove(build);
      expect(await engine.docker(["volume", "ls", "-q"])).toContain(
        `slipway-${build.workspace.id}-home`,
      );
      await engine.docker(["volume", "rm", volume]);
      // As a daemon leaves it that was killed while it created the volume.
      await engine.docker(["volume", "create", volume]);
      await driver.start(build, silent, signal);
    });

    it("leaves nothing behind of an image without a shell", async () => {
      await engine.docker(["import", "-", "shell-less:1"], {
        input: await packFiles({ file: "text" }),
      });
      const build = boxBuild(boxContainer({ image: "shell-less:1" }));
      await expect(driver.start(build, silent, signal)).rejects.toThrow(
        "image shell-less:1 has no /bin/sh",
      );
      expect(await leftovers(engine, build)).toBe("");
    });

    it("leaves nothing after the last workspace, and harms no start at that moment", async () => {
      await engine.docker(["volume", "rm", "slipway-kept-home"]);
      const first = boxBuild();
      const { workspace } = first;
      const id = `${workspace.id.slice(0, -1)}9`;
      const second = boxBuild(undefined, { workspace: { ...workspace, id } });
      await driver.start(first, silent, signal);
      for (const [ending, starting] of [
        [first, second],
        [second, first],
      ] as const) {
        await Promise.all([remove(ending), driver.start(starting, silent, signal)]);
        expect(await inside(engine, starting, "id", "-un")).toBe("dev");
      }
      await remove(second);
      await remove(first);
      const networks = ["network", "ls", "-q", "--filter", "label=slipway.kind"];
      for (const list of [["ps", "-aq"], ["volume", "ls", "-q"], networks]) {
        expect(await engine.docker(list)).toBe("");
      }
      await keepShared(engine);
    });

    it("calls the server from a container when a template is pushed, and says what to set", async () => {
      const address = (await driver.gatewayAddress(signal)) ?? ownAddress();
      await using server = await answerAt(address);
      const plan = (url: string): Promise<unknown> =>
        openDriver(engine, { containerUrl: async () => url }).then((probing) =>
          probing.plan(
            {
              template: boxBuild().template,
              parameters: {},
              agents: [boxAgent()],
              purpose: "push",
            },
            silent,
            signal,
          ),
        );
      expect(await plan(server.url)).toMatchObject({
        resources: [{ name: "main" }, { name: "home" }],
      });
      expect(await leftovers(engine, boxBuild())).toBe("");
      await expect(plan(`http://${address}:9`)).rejects.toMatchObject({
        code: "unreachable",
        message: expect.stringMatching(/ECONNREFUSED .* set SLIPWAY_DOCKER_ACCESS_URL/),
      });
      await expect(plan("http://localhost:3000")).rejects.toThrow("a loopback address");
    });
  });
}
