import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { socketProblem } from "./socket-problem.ts";

it("says what to do without a socket, and nothing once it is there", async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-socket-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, "docker.sock");
  expect(socketProblem(path)).toBe(
    `needs Docker or Podman, and there is no ${path}: start one of them, or set SLIPWAY_DOCKER_HOST`,
  );
  await writeFile(path, "");
  expect(socketProblem(path)).toBeUndefined();
});
