import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { type DockerDriver, type DriverBuild, DriverError, type DriverLog } from "@slipway/drivers";
import { openDocker, type TestEngine } from "@slipway/testkit/engines";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import {
  boxBuild,
  boxContainer,
  containerOf,
  inside,
  leftovers,
  openDriver,
  signal,
  silent,
} from "./support/driver-stage.ts";
import type { DriverCall } from "./support/run-driver.ts";

const program = fileURLToPath(new URL("support/run-driver.ts", import.meta.url));

describe("the driver docker under faults", () => {
  let engine: TestEngine;
  let driver: DockerDriver;

  beforeAll(async () => {
    engine = await openDocker();
    driver = await openDriver(engine);
  });

  afterAll(() => engine[Symbol.asyncDispose]());

  async function remove(): Promise<void> {
    await driver.delete(boxBuild(undefined, { transition: "delete" }), silent, signal);
  }

  afterEach(remove);

  /** Removes what all workspaces share, so that the next start creates it. */
  async function removeShared(): Promise<void> {
    const volumes = await engine.docker(["volume", "ls", "-q", "--filter", "label=slipway.kind"]);
    for (const name of volumes.split("\n").filter((line) => line !== "")) {
      await engine.docker(["volume", "rm", name]);
    }
    const networks = await engine.docker(["network", "ls", "-q", "--filter", "label=slipway.kind"]);
    for (const id of networks.split("\n").filter((line) => line !== "")) {
      await engine.docker(["network", "rm", id]);
    }
  }

  function callIn(method: DriverCall["method"], build: DriverBuild): ChildProcess {
    const call: DriverCall = { socketPath: engine.socketPath, method, build };
    const args = ["--conditions=@slipway/source", program, JSON.stringify(call)];
    return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  }

  /** Kills a process some time after its driver began, or lets it finish. */
  async function killAfter(child: ChildProcess, ms: number): Promise<void> {
    const exited = once(child, "exit");
    // Its first line comes once the engine has answered.
    await Promise.race([once(child.stdout ?? child, "data"), exited]);
    await Promise.race([sleep(ms), exited]);
    child.kill("SIGKILL");
    await exited;
  }

  it("completes a start that was killed at any point", async () => {
    const build = boxBuild();
    for (let ms = 0; ms <= 1_500; ms += 300) {
      await removeShared();
      await killAfter(callIn("start", build), ms);
      const { state } = await driver.start(build, silent, signal);
      expect(await inside(engine, build, "id", "-un")).toBe("dev");
      expect(await inside(engine, build, "ls", "/.slipway")).toBe(
        "entry.sh\nnode.sh\nprobe.mjs\nslipway",
      );
      await driver.delete(
        { ...build, transition: "delete", readState: async () => state },
        silent,
        signal,
      );
      await removeHelpers();
      expect(await leftovers(engine, build)).toBe("");
    }
  });

  /** Removes what the driver removes an hour after a kill. */
  async function removeHelpers(): Promise<void> {
    const filter = ["--filter", "label=slipway.kind=helper"];
    const helpers = (await engine.docker(["ps", "-aq", ...filter])).split("\n");
    for (const id of helpers.filter((line) => line !== "")) await engine.docker(["rm", "-f", id]);
  }

  it("completes a deletion that was killed at any point", async () => {
    const build = boxBuild();
    for (let ms = 0; ms <= 300; ms += 150) {
      await driver.start(build, silent, signal);
      await killAfter(callIn("delete", { ...build, transition: "delete" }), ms);
      await driver.delete({ ...build, transition: "delete" }, silent, signal);
      expect(await leftovers(engine, build)).toBe("");
    }
  });

  it("fills one volume for starts at the same time", async () => {
    await removeShared();
    const { workspace } = boxBuild();
    const ids = ["1", "2", "3"].map((digit) => `${workspace.id.slice(0, -1)}${digit}`);
    const builds = ids.map((id) => boxBuild(undefined, { workspace: { ...workspace, id } }));
    await Promise.all(
      builds.map(async (build) => (await openDriver(engine)).start(build, silent, signal)),
    );
    const used = await Promise.all(
      builds.map((build) =>
        engine.docker([
          "inspect",
          "-f",
          '{{range .Mounts}}{{if eq .Destination "/.slipway"}}{{.Name}}{{end}}{{end}}',
          containerOf(build),
        ]),
      ),
    );
    expect(new Set(used).size).toBe(1);
    const networks = await engine.docker(["network", "ls", "-q", "--filter", "label=slipway.kind"]);
    expect(networks.trim().split("\n")).toHaveLength(1);
    const filled = ["--filter", "label=slipway.kind=archive"];
    expect(
      (await engine.docker(["volume", "ls", "-q", ...filled])).trim().split("\n"),
    ).toHaveLength(1);
    for (const build of builds) {
      await driver.delete({ ...build, transition: "delete" }, silent, signal);
    }
  });

  it("fails as unavailable when the daemon is killed, and goes on when it is back", async () => {
    const build = boxBuild();
    for (const ms of [0, 500, 1_200]) {
      await removeShared();
      const starting = driver.start(build, silent, signal);
      const failed = starting.then(
        () => undefined,
        (error: unknown) => (error instanceof DriverError ? error.code : error),
      );
      await Promise.race([sleep(ms), starting.catch(() => undefined)]);
      await engine.kill();
      const error = await failed;
      expect([undefined, "unavailable"]).toContain(error);
      await expect(driver.start(build, silent, signal)).rejects.toMatchObject({
        code: "unavailable",
      });
      await expect(driver.gatewayAddress(signal)).rejects.toMatchObject({ code: "unavailable" });
      await engine.start();
      await driver.start(build, silent, signal);
      expect(await inside(engine, build, "id", "-un")).toBe("dev");
      await remove();
      await removeHelpers();
      expect(await leftovers(engine, build)).toBe("");
    }
  });

  it("rejects with the signal's reason when a build is canceled, and leaves no container", async () => {
    const build = boxBuild();
    await removeShared();
    for (const ms of [50, 400, 1_200]) {
      const cancel = new AbortController();
      const reason = new Error("canceled");
      const starting = driver.start(build, silent, cancel.signal);
      await Promise.race([sleep(ms), starting.catch(() => undefined)]);
      cancel.abort(reason);
      await expect(starting.then(() => Promise.reject(reason))).rejects.toBe(reason);
      await driver.stop({ ...build, transition: "stop" }, silent, signal);
      expect(await engine.docker(["ps", "-aq", "--filter", "label=slipway.kind"])).toBe("");
    }
  });

  it("ends a watch when the daemon ends, and says so", async () => {
    const events: unknown[] = [];
    const watching = driver.watch((event) => events.push(event), signal);
    const lost = watching.catch((error: unknown) => error);
    await expect.poll(() => events).toEqual([{ kind: "watching" }]);
    await engine.kill();
    expect(await lost).toMatchObject({ code: "unavailable", retryable: true });
    await engine.start();
  });

  describe("when the daemon is killed during a step", () => {
    const slow = "trap 'sleep 60' TERM; while :; do sleep 1; done";
    const slowCommand = boxBuild(boxContainer({ command: ["sh", "-c", slow] }));
    let directory: string;
    let silentServer: Server;
    let silentHost: string;

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), "slipway-test-"));
      await writeFile(join(directory, "Dockerfile"), "FROM box:1\nRUN sleep 1000\n");
      silentServer = createServer().listen(0, "127.0.0.1");
      await once(silentServer, "listening");
      const address = silentServer.address();
      silentHost = typeof address === "object" ? `127.0.0.1:${address?.port ?? 0}` : "";
    });

    afterAll(async () => {
      silentServer.close();
      await rm(directory, { recursive: true, force: true });
    });

    /** Kills the daemon once a step has begun, by the log of the build, and starts it again. */
    async function killDuring(
      step: RegExp,
      run: (log: DriverLog) => Promise<unknown>,
    ): Promise<void> {
      const hasBegun = Promise.withResolvers<void>();
      const log: DriverLog = {
        write: (_level, _stage, line) => void (step.test(line) && hasBegun.resolve()),
      };
      const outcome = run(log).then(
        () => "done",
        (error: unknown) => error,
      );
      await Promise.race([hasBegun.promise, outcome]);
      await engine.kill();
      expect(await outcome).toMatchObject({ code: "unavailable", retryable: true });
      await engine.start();
    }

    it.each(["stop", "delete"] as const)("completes a %s", async (transition) => {
      await driver.start(slowCommand, silent, signal);
      const build = { ...slowCommand, transition };
      await killDuring(/stopping agent/, (log) => driver[transition](build, log, signal));
      await driver[transition]({ ...build, limits: { stopTimeoutMs: 0 } }, silent, signal);
      expect(await engine.docker(["ps", "-aq", "--filter", "label=slipway.kind"])).toBe("");
    });

    it("builds an image again", async () => {
      const image = { dockerfile: "Dockerfile", context: ".", target: "", args: {} };
      const template = { ...boxBuild().template, directory };
      const build = boxBuild(boxContainer({ image: "", build: image }), { template });
      await killDuring(/RUN sleep/, (log) => driver.start(build, log, signal));
      await writeFile(join(directory, "Dockerfile"), "FROM box:1\n");
      await driver.start(build, silent, signal);
      expect(await inside(engine, build, "id", "-un")).toBe("dev");
    });

    it("ends a pull", async () => {
      const build = boxBuild(boxContainer({ image: `${silentHost}/box:1` }));
      await killDuring(/pulling/, (log) => driver.start(build, log, signal));
      expect(await leftovers(engine, build)).toBe("");
    });
  });
});

describe("the driver docker on a full disk", () => {
  it("says so, leaves nothing of the start, and starts when there is room", async () => {
    await using engine = await openDocker({ diskBytes: 512 * 1024 * 1024 });
    const driver = await openDriver(engine);
    const first = boxBuild();
    await driver.start(first, silent, signal);
    await inside(engine, first, "sh", "-c", "cat /dev/zero >~/file; true");
    const { workspace } = first;
    const second = boxBuild(undefined, { workspace: { ...workspace, id: "second" } });
    await expect(driver.start(second, silent, signal)).rejects.toMatchObject({
      code: "not-startable",
      message: expect.stringContaining("no space left on device"),
    });
    expect(await engine.docker(["ps", "-aq", "--filter", "name=second"])).toBe("");
    expect(await inside(engine, first, "id", "-un")).toBe("dev");
    await inside(engine, first, "rm", "/home/dev/file");
    await driver.start(second, silent, signal);
    expect(await inside(engine, second, "id", "-un")).toBe("dev");
  });

  it("leaves no half of the agent", async () => {
    await using engine = await openDocker({ diskBytes: 48 * 1024 * 1024 });
    const driver = await openDriver(engine);
    await expect(driver.start(boxBuild(), silent, signal)).rejects.toMatchObject({
      message: expect.stringContaining("no space left on device"),
    });
    expect(await engine.docker(["ps", "-aq"])).toBe("");
    const archives = ["volume", "ls", "-q", "--filter", "label=slipway.kind=archive"];
    expect(await engine.docker(archives)).toBe("");
  });
});
