import { stat } from "node:fs/promises";

import type { DockerDriver, DriverBuild } from "@slipway/drivers";
import { openDocker, packBox, type TestEngine } from "@slipway/testkit/engines";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  boxBuild,
  boxContainer,
  containerOf,
  inside,
  openDriver,
  signal,
  silent,
} from "./support/driver-stage.ts";

/* An engine whose disk and names others use too. */

const opened = new AsyncDisposableStack();
let engine: TestEngine;
let driver: DockerDriver;

beforeAll(async () => {
  engine = opened.use(await openDocker());
  driver = await openDriver(engine, { deploymentId: "first" });
});

afterAll(() => opened.disposeAsync());

async function lines(...words: readonly string[]): Promise<readonly string[]> {
  return (await engine.docker(words)).split("\n").filter((line) => line !== "");
}

function remove(build: DriverBuild, by = driver): Promise<unknown> {
  return by.delete({ ...build, transition: "delete" }, silent, signal);
}

describe("two deployments on one engine", () => {
  const label = "label=slipway.deployment=second";

  /** Lists everything of the second deployment. */
  async function ofSecond(): Promise<readonly string[]> {
    const volumes = await lines("volume", "ls", "-q", "--filter", label);
    const networks = await lines("network", "ls", "-q", "--filter", label);
    const containers = await lines("ps", "-aq", "--filter", label);
    return [...volumes, ...networks, ...containers];
  }

  it("leave each other what they have when their last workspace ends, and their names", async () => {
    const second = await openDriver(engine, { deploymentId: "second" });
    const { workspace } = boxBuild();
    const own = boxBuild(undefined, { workspace: { ...workspace, id: "of-the-first" } });
    const foreign = boxBuild(undefined, { workspace: { ...workspace, id: "of-the-second" } });
    await second.start(foreign, silent, signal);
    // What a start uses for a moment, and what no container keeps.
    const marks = ["deployment=second", "kind=helper", "name=helper-of-the-second"];
    const labels = marks.flatMap((mark) => ["--label", `slipway.${mark}`]);
    await engine.docker(["create", "--name", "helper-of-the-second", ...labels, "box:1", "true"]);
    await driver.start(own, silent, signal);
    await expect(driver.start(foreign, silent, signal)).rejects.toThrow(
      "was not created by this server",
    );
    expect(await inside(engine, foreign, "id", "-un")).toBe("dev");
    await second.stop({ ...foreign, transition: "stop" }, silent, signal);
    const before = await ofSecond();
    expect(before.length).toBeGreaterThanOrEqual(4);
    await remove(foreign);
    await remove(own);
    expect(await ofSecond()).toEqual(before);
    const ofFirst = ["--filter", "label=slipway.deployment=first"];
    expect(await lines("volume", "ls", "-q", ...ofFirst)).toEqual([]);
    expect(await lines("network", "ls", "-q", ...ofFirst)).toEqual([]);
    await remove(foreign, second);
    expect(await ofSecond()).toEqual([]);
  });
});

describe("the disk of an engine", () => {
  it("keeps no volume that an image asks for after the container", async () => {
    const change = ["--change", "VOLUME /cache"];
    await engine.docker(["import", ...change, "-", "cached:1"], { input: await packBox() });
    const build = boxBuild(boxContainer({ image: "cached:1" }));
    await driver.start(build, silent, signal);
    const anonymous = () => lines("volume", "ls", "-q", "--filter", "name=^[0-9a-f]{64}$");
    expect(await anonymous()).toHaveLength(1);
    await driver.stop({ ...build, transition: "stop" }, silent, signal);
    expect(await anonymous()).toEqual([]);
    await remove(build);
  });

  it("keeps the end of what a container writes, and no more", async () => {
    const flood = "yes 0123456789abcdef | head -c 5000000; echo done >/tmp/done; sleep 1000";
    const build = boxBuild(boxContainer({ command: ["sh", "-c", flood] }));
    await driver.start(build, silent, signal);
    const isDone = () => inside(engine, build, "cat", "/tmp/done").catch(() => "");
    await expect.poll(isDone, { timeout: 60_000 }).toBe("done");
    const [path = ""] = await lines("inspect", "-f", "{{.LogPath}}", containerOf(build));
    const sizes = await Promise.all(
      [path, `${path}.1`, `${path}.2`].map(async (file) => {
        const found = await stat(file).catch(() => undefined);
        return found?.size ?? 0;
      }),
    );
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(total).toBeGreaterThan(500_000);
    expect(total).toBeLessThan(2_200_000);
    await remove(build);
  });
});
