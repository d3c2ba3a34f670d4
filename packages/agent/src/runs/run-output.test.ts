import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { writeHalves } from "@slipway/testkit/write-halves";
import { expect, it, onTestFinished } from "vitest";

import { FairTurns } from "../process/turns.ts";
import { blockBytes } from "./output-block.ts";
import { RunOutput } from "./run-output.ts";
import { SpoolFile } from "./spool-file.ts";

const full = Buffer.alloc(blockBytes, "x");
const maxBlocks = 4;

interface World {
  readonly output: RunOutput;
  readonly file: string;
  readonly turns: FairTurns;
}

function openOutput(): World {
  const folder = mkdtempSync(join(tmpdir(), "slipway-output-"));
  const file = join(folder, "run");
  const turns = new FairTurns({ what: "files", max: 2, maxEach: 1, maxWaitingEach: 1, waitMs: 1 });
  const output = new RunOutput({
    spool: new SpoolFile(file, blockBytes, turns),
    maxBlocks,
    takeRoom: () => true,
    giveRoom: () => undefined,
  });
  onTestFinished(async () => {
    await output.remove();
    rmSync(folder, { recursive: true });
  });
  return { output, file, turns };
}

async function fill(output: RunOutput, blocks: number): Promise<void> {
  for (let block = 0; block < blocks; block += 1) await output.append("stdout", full);
}

it("lets a command wait while more than three blocks wait for the disk, and no longer", async () => {
  const { output, turns } = openOutput();
  const disk = Promise.withResolvers<void>();
  const busy = [{}, {}].map((owner) => turns.run(owner, () => disk.promise));
  for (let block = 0; block < 3; block += 1) expect(output.append("stdout", full)).toBeUndefined();
  const written = output.append("stdout", full);
  expect(written).toBeInstanceOf(Promise);
  disk.resolve();
  await Promise.all(busy);
  await written;
  expect(output.append("stdout", full)).toBeUndefined();
});

it("uses the room of dropped blocks again, in a file that only its user reads", async () => {
  const { output, file } = openOutput();
  await fill(output, 4 * maxBlocks);
  const { size, mode } = statSync(file);
  expect(size).toBeLessThanOrEqual(maxBlocks * blockBytes);
  expect(mode & 0o777).toBe(0o600);
});

it("keeps all of a block, although the system takes a part at a time", async () => {
  using _ = writeHalves();
  const { output } = openOutput();
  await fill(output, maxBlocks);
  const { pieces } = await output.read(0, blockBytes);
  const kept = Buffer.concat(pieces.map(({ bytes }) => bytes));
  expect(kept.length).toBeGreaterThan(blockBytes / 2);
  expect(kept.equals(full.subarray(0, kept.length))).toBe(true);
});
