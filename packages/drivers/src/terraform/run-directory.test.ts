import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { systemClock } from "@slipway/runtime";
import { expect, it, onTestFinished } from "vitest";

import { procTable } from "../process/proc-table.ts";
import { openRunDirectory } from "./run-directory.ts";
import { defaultRunLimits } from "./terraform-options.ts";

const { signal } = new AbortController();
const log = { write: () => undefined };

it("goes away and comes back while a program that a run left behind writes into it", async () => {
  const parent = await mkdtemp(join(tmpdir(), "slipway-runs-"));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  const template = join(parent, "template");
  await mkdir(template);
  await writeFile(join(template, "main.tf"), "");
  const root = join(parent, "runs");
  const options = {
    root,
    users: undefined,
    table: procTable(),
    clock: systemClock,
    limits: defaultRunLimits,
  };
  const open = () =>
    openRunDirectory(options, { key: "w", template, build: undefined }, log, signal);
  const first = await open();
  const script = "echo up; i=0; while :; do i=$((i+1)); echo >f$i; done";
  const writer = spawn("/bin/sh", ["-c", script], {
    cwd: first.files,
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void writer.kill("SIGKILL"));
  await once(writer.stdout, "data");
  for (let turn = 0; turn < 5; turn += 1) {
    await first[Symbol.asyncDispose]();
    await expect(access(first.files)).rejects.toMatchObject({ code: "ENOENT" });
    await using again = await open();
    expect(await readdir(again.files)).toEqual(["main.tf"]);
  }
  const exited = once(writer, "exit");
  writer.kill("SIGKILL");
  await exited;
  await (await open())[Symbol.asyncDispose]();
  expect(await readdir(root)).toEqual([]);
});
