import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ContainerBuild, DockerDriver, DriverEvent, DriverLog } from "@slipway/drivers";
import { systemClock } from "@slipway/runtime";
import {
  buildArchive,
  openDocker,
  openRegistry,
  ownArch,
  type TestEngine,
} from "@slipway/testkit/engines";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import {
  boxAgent,
  boxBuild,
  boxContainer,
  containerOf,
  inside,
  keepShared,
  leftovers,
  openDriver,
  signal,
  silent,
} from "./support/driver-stage.ts";

/** Returns the command lines of the machine's processes, containers' included. */
async function commandLines(): Promise<readonly string[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const files = ids.map((id) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => ""));
  return (await Promise.all(files)).map((line) => line.replaceAll("\0", " ").trim());
}

describe("the driver docker", () => {
  let engine: TestEngine;
  let driver: DockerDriver;

  beforeAll(async () => {
    engine = await openDocker();
    driver = await openDriver(engine);
    await keepShared(engine);
  });

  afterAll(() => engine[Symbol.asyncDispose]());

  afterEach(() => driver.delete(boxBuild(undefined, { transition: "delete" }), silent, signal));

  /** A log that keeps its lines. */
  function openLog(): DriverLog & { readonly lines: string[] } {
    const lines: string[] = [];
    return { lines, write: (_level, _stage, line) => void lines.push(line) };
  }

  it("refuses what the operator does not permit, when a template is pushed and when it starts", async () => {
    const build = boxBuild(boxContainer({}, { isPrivileged: true }));
    const { template, agents } = build;
    const refusal = "docker.privileged: not permitted by this server";
    const plan = driver.plan({ template, parameters: {}, agents, purpose: "push" }, silent, signal);
    await expect(plan).rejects.toThrow(refusal);
    await expect(driver.start(build, silent, signal)).rejects.toThrow(refusal);
    expect(await leftovers(engine, build)).toBe("");
  });

  it("gives what the operator permits", async () => {
    const permitted = await openDriver(engine, {
      allow: new Set(["capabilities", "ports", "host-pid"]),
    });
    const build = boxBuild(
      boxContainer(
        { ports: [{ name: "web", port: 8080 }] },
        { capabilities: ["SYS_PTRACE"], hostPid: true },
      ),
    );
    await permitted.start(build, silent, signal);
    const config = await engine.docker([
      "inspect",
      "-f",
      "{{json .HostConfig}}",
      containerOf(build),
    ]);
    expect(JSON.parse(config)).toMatchObject({
      CapAdd: ["SYS_PTRACE"],
      PidMode: "host",
      PortBindings: { "8080/tcp": [{ HostIp: "127.0.0.1" }] },
    });
  });

  it("says which limits the engine refuses", async () => {
    const tooMany = boxBuild(boxContainer({ cpus: 4096 }));
    await expect(driver.start(tooMany, silent, signal)).rejects.toThrow(/cannot start .*CPUs/);
    const stored = boxBuild(boxContainer({ storageBytes: 1024 ** 3 }));
    const { template, agents } = stored;
    const plan = driver.plan({ template, parameters: {}, agents, purpose: "push" }, silent, signal);
    await expect(plan).rejects.toThrow();
    await expect(driver.start(stored, silent, signal)).rejects.toThrow(/storage/i);
  });

  it("tells that memory ran out", async () => {
    const events: DriverEvent[] = [];
    const ended = new AbortController();
    const watching = driver
      .watch((event) => events.push(event), ended.signal)
      .catch(() => undefined);
    await expect.poll(() => events).toHaveLength(1);
    const shmBytes = 512 * 1024 * 1024;
    const build = boxBuild(boxContainer({ memoryBytes: 128 * 1024 * 1024 }, { shmBytes }));
    await driver.start(build, silent, signal);
    // Nothing can reclaim it: the kernel ends the largest process, which is the agent.
    const fill = ["sh", "-c", "head -c 300m /dev/zero >/dev/shm/file"];
    await engine.docker(["exec", "-d", containerOf(build), ...fill]);
    await expect.poll(() => events, { timeout: 60_000 }).toHaveLength(2);
    expect(events[1]).toMatchObject({ kind: "out-of-memory", workspaceId: build.workspace.id });
    ended.abort();
    await watching;
  });

  it("removes the agent of an earlier release when no container uses it", async () => {
    const archive = await buildArchive();
    const own = { deploymentId: randomUUID() };
    const earlier = await openDriver(engine, {
      ...own,
      readArchive: async () => ({ ...archive, hash: "earlier" }),
    });
    const current = await openDriver(engine, own);
    const { workspace } = boxBuild();
    const [first, second] = ["first", "second"].map((id) =>
      boxBuild(undefined, { workspace: { ...workspace, id } }),
    );
    if (first === undefined || second === undefined) throw new RangeError("wanted two builds");
    const filters = ["slipway.kind=archive", `slipway.deployment=${own.deploymentId}`];
    const flags = filters.flatMap((filter) => ["--filter", `label=${filter}`]);
    const archives = async (): Promise<number> =>
      (await engine.docker(["volume", "ls", "-q", ...flags])).trim().split("\n").length;
    await earlier.start(first, silent, signal);
    // Docker knows the second in which a volume was created.
    const secondNow = (): number => Math.trunc(Date.now() / 1_000);
    const then = secondNow();
    await expect.poll(secondNow, { timeout: 5_000 }).toBeGreaterThan(then);
    await current.start(second, silent, signal);
    // What was just created may be the work of another start.
    await current.stop({ ...second, transition: "stop" }, silent, signal);
    expect(await archives()).toBe(2);
    const now = (): number => systemClock.now() + 2 * 60 * 60_000;
    const later = await openDriver(engine, { ...own, clock: { ...systemClock, now } });
    await later.stop({ ...second, transition: "stop" }, silent, signal);
    expect(await archives()).toBe(2);
    await later.stop({ ...first, transition: "stop" }, silent, signal);
    expect(await archives()).toBe(1);
    await current.delete({ ...first, transition: "delete" }, silent, signal);
    await current.delete({ ...second, transition: "delete" }, silent, signal);
  });

  it("keeps containers apart on its network", async () => {
    const build = boxBuild();
    await driver.start(build, silent, signal);
    const format = "{{range .NetworkSettings.Networks}}{{.NetworkID}} {{.IPAddress}}{{end}}";
    const text = await engine.docker(["inspect", "-f", format, containerOf(build)]);
    const [network = "", address = ""] = text.trim().split(" ");
    const echo = "while :; do echo hi | nc -l -p 9000; done";
    await engine.docker(["exec", "-d", containerOf(build), "/bin/busybox", "sh", "-c", echo]);
    const ask = `/bin/busybox nc -w 2 ${address} 9000 </dev/null; true`;
    expect(await inside(engine, build, "sh", "-c", ask)).toBe("hi");
    const asked = await engine.docker([
      "run",
      "--rm",
      "--network",
      network,
      "box:1",
      "sh",
      "-c",
      ask,
    ]);
    expect(asked).toBe("");
  });

  it("pulls an image with the credentials of its registry and no others, and says what is wrong", async () => {
    await using registry = await openRegistry({ login: "ada:secret", arch: ownArch });
    const image = `${registry.host}/team/box:1`;
    const build = boxBuild(boxContainer({ image }));
    await expect(driver.start(build, silent, signal)).rejects.toMatchObject({
      code: "invalid-template",
      message: expect.stringContaining(`the server has no credentials for ${registry.host}`),
    });
    const asked: string[] = [];
    const knowing = await openDriver(engine, {
      registryAuth: async (name) => {
        asked.push(name);
        return { username: "ada", password: "secret" };
      },
    });
    const log = openLog();
    await knowing.start(build, log, signal);
    expect(asked).toEqual([registry.host]);
    expect([...registry.credentials]).toEqual([
      `Basic ${Buffer.from("ada:secret").toString("base64")}`,
    ]);
    expect(log.lines.join("\n")).toMatch(/pulling .*\n.*Pulling from team\/box/);
    expect(log.lines.join("\n")).not.toContain("secret");
    await knowing.stop({ ...build, transition: "stop" }, silent, signal);
    const absent = boxBuild(boxContainer({ image: `${registry.host}/team/box:absent` }));
    await expect(knowing.start(absent, silent, signal)).rejects.toMatchObject({
      code: "invalid-template",
      message: expect.stringMatching(/cannot pull .*absent/),
    });
    const never = boxBuild(boxContainer({ image: "none:1" }, { pull: "never" }));
    await expect(knowing.start(never, silent, signal)).rejects.toThrow("pull: never");
    await engine.docker(["rmi", "-f", image]);
  });

  it("refuses an image of another architecture", async () => {
    const other = ownArch === "amd64" ? "arm64" : "amd64";
    await using registry = await openRegistry({ login: undefined, arch: other });
    const build = boxBuild(boxContainer({ image: `${registry.host}/box:1` }));
    await expect(driver.start(build, silent, signal)).rejects.toMatchObject({
      code: "invalid-template",
      message: expect.stringContaining(other),
    });
    expect(await leftovers(engine, build)).toBe("");
  });

  it("names a registry that does not answer, and may try again", async () => {
    const build = boxBuild(boxContainer({ image: "127.0.0.1:9/box:1" }));
    await expect(driver.start(build, silent, signal)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/cannot pull 127\.0\.0\.1:9\/box:1: .*refused/),
    });
  });

  describe("with a Dockerfile", () => {
    let directory: string;
    const dockerfile: ContainerBuild = {
      dockerfile: "images/Dockerfile",
      context: "files",
      target: "",
      args: { COLOR: "blue" },
    };

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), "slipway-test-"));
      await mkdir(join(directory, "images"));
      await mkdir(join(directory, "files"));
      await writeFile(join(directory, "files/note"), "from the template\n");
      await write("FROM box:1\nARG COLOR\nRUN echo step && echo $COLOR >/color\nCOPY note /note\n");
    });

    afterAll(() => rm(directory, { recursive: true, force: true }));

    function write(text: string): Promise<void> {
      return writeFile(join(directory, "images/Dockerfile"), text);
    }

    function buildOf(
      fields: Partial<ContainerBuild> = {},
      id = "build-1",
    ): ReturnType<typeof boxBuild> {
      const container = boxContainer({ image: "", build: { ...dockerfile, ...fields } });
      const template = { ...boxBuild().template, directory };
      return boxBuild(container, { id, template });
    }

    it("builds the image with the template's files, shows the steps, and removes it with the workspace", async () => {
      const log = openLog();
      const build = buildOf();
      await driver.start(build, log, signal);
      expect(await inside(engine, build, "cat", "/note", "/color")).toBe("from the template\nblue");
      expect(log.lines).toContain("step");
      // A new build leaves no image of the one before.
      const again = buildOf({ args: { COLOR: "red" } }, "build-2");
      await driver.start(
        { ...again, agents: [boxAgent(again.agents[0]?.container, { token: "new" })] },
        silent,
        signal,
      );
      expect(await inside(engine, build, "cat", "/color")).toBe("red");
      const filter = ["--filter", "label=slipway.kind=image"];
      expect((await engine.docker(["images", "-q", ...filter])).trim().split("\n")).toHaveLength(1);
      await driver.delete({ ...build, transition: "delete" }, silent, signal);
      expect(await engine.docker(["images", "-aq", ...filter])).toBe("");
    });

    it("builds what only BuildKit can, and bounds the output of a step", async () => {
      const log = openLog();
      await write(
        "FROM box:1\nRUN --mount=type=cache,target=/cache touch /cache/x\n" +
          "RUN yes | head -c 100m && printf 'no end'\n",
      );
      await driver.start(buildOf(), log, signal);
      expect(log.lines.some((line) => line.includes("--mount=type=cache"))).toBe(true);
      expect(log.lines.length).toBeLessThanOrEqual(10_100);
    });

    it("builds on a private image, and says that its registry refuses", async () => {
      await using registry = await openRegistry({ login: "ada:secret", arch: ownArch });
      const image = `${registry.host}/team/box:1`;
      await write(`ARG BASE\nFROM $BASE\nRUN true\n`);
      const build = buildOf({ args: { BASE: image } });
      await expect(driver.start(build, silent, signal)).rejects.toMatchObject({
        code: "invalid-template",
        message: expect.stringMatching(/401 Unauthorized; set SLIPWAY_DOCKER_CONFIG/),
      });
      const knowing = await openDriver(engine, {
        registryAuth: async () => ({ username: "ada", password: "secret" }),
      });
      await knowing.start(build, silent, signal);
      await driver.delete({ ...build, transition: "delete" }, silent, signal);
      await engine.docker(["rmi", "-f", image]);
    });

    it("ends the steps of a build that is canceled", async () => {
      const log = openLog();
      const seconds = 900_000 + process.pid;
      await write(`FROM box:1\nRUN sleep ${seconds}\n`);
      const cancel = new AbortController();
      const starting = driver.start(buildOf(), log, cancel.signal);
      const outcome = starting.catch((error: unknown) => error);
      const isRunning = async (): Promise<boolean> =>
        (await commandLines()).includes(`sleep ${seconds}`);
      await expect.poll(isRunning).toBe(true);
      const reason = new Error("canceled");
      cancel.abort(reason);
      expect(await outcome).toBe(reason);
      await expect.poll(isRunning).toBe(false);
    });

    it("says which step fails, and what is not in the template", async () => {
      await expect(
        driver.start(buildOf({ dockerfile: "../../etc/passwd" }), silent, signal),
      ).rejects.toThrow("leads outside the template");
      await expect(driver.start(buildOf({ context: "none" }), silent, signal)).rejects.toThrow(
        "is not in the template",
      );
      await write("FROM box:1\nRUN exit 3\n");
      await expect(driver.start(buildOf(), silent, signal)).rejects.toMatchObject({
        code: "invalid-template",
        message: expect.stringMatching(/cannot build the image: .*exit 3.* code: 3/),
      });
    });
  });
});
