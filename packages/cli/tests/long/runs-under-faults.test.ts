import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { systemClock } from "@slipway/runtime";
import { type RunHandle, Runs } from "@slipway/sdk/runs";
import {
  openReachedWorkspace,
  openTestDatabase,
  type ReachedWorkspace,
  TcpProxy,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

/*
 * A command prints tens of megabytes, section by section, each when its input says so. In the middle of each section
 * something breaks. What the caller has in the end is compared by its hash: nothing is lost or comes twice, of output and
 * input.
 */

const slipway = fileURLToPath(new URL("../../bin/slipway.js", import.meta.url));
const sectionBytes = 4 * 1024 * 1024;
const opened = new AsyncDisposableStack();
let world: ReachedWorkspace;

beforeAll(async () => {
  const { url } = opened.use(await openTestDatabase(inject("postgresUrl")));
  world = opened.use(await openReachedWorkspace({ SLIPWAY_POSTGRES_URL: url }));
  await world.untilConnected();
}, 120_000);

afterAll(() => opened.disposeAsync());

/** Prints a section for each line of its input, whose text it prints first. */
const producer = `
const { createHash } = require("node:crypto");
const { once } = require("node:events");
const lines = require("node:readline").createInterface({ input: process.stdin });
(async () => {
  let section = 0;
  for await (const line of lines) {
    process.stdout.write(line + "\\n");
    for (let at = 0; at < ${sectionBytes}; at += 64) {
      const text = createHash("sha256").update(section + ":" + at).digest("hex");
      if (!process.stdout.write(text)) await once(process.stdout, "drain");
    }
    section += 1;
  }
  process.exitCode = 9;
})();
`;

/** Returns the whole output for these lines. */
function expectedOutput(lines: readonly string[]): string {
  return lines
    .map((line, section) => {
      const parts = [`${line}\n`];
      for (let at = 0; at < sectionBytes; at += 64) {
        parts.push(createHash("sha256").update(`${section}:${at}`).digest("hex"));
      }
      return parts.join("");
    })
    .join("");
}

const hashOf = (bytes: Uint8Array | string): string =>
  createHash("sha256").update(bytes).digest("hex");

it(
  "loses and repeats nothing while the network and the server go",
  { timeout: 240_000 },
  async () => {
    const port = (): number => Number(new URL(world.server.url).port);
    await using proxy = await TcpProxy.open(() => [{ port: port() }]);
    const cut = async (): Promise<void> => {
      for (const link of proxy.links) link.cut();
    };
    const faults = [
      cut,
      cut,
      () => world.restartServer("SIGKILL"),
      cut,
      () => world.restartServer("SIGINT"),
      async () => undefined,
    ];
    const lines = faults.map((_, number) => `section ${number}`);
    const runs = new Runs({
      client: world.openClient(proxy.url),
      agentId: world.agentId,
      clock: systemClock,
    });
    const handle = runs.run([process.execPath, "-e", producer], {
      stdin: "open",
      signal: AbortSignal.timeout(200_000),
    });
    const hash = createHash("sha256");
    let position = 0;
    let fault: Promise<void> | undefined;
    let section = -1;
    const ask = async (): Promise<void> => {
      section += 1;
      const line = lines[section];
      if (line === undefined) handle.closeStdin();
      else await handle.write(`${line}\n`);
    };
    const outputs = handle[Symbol.asyncIterator]();
    await ask();
    let end = 0;
    const endOf = (at: number): number => end + (lines[at]?.length ?? 0) + 1 + sectionBytes;
    for (;;) {
      const next = await outputs.next();
      if (next.done === true) break;
      const { seq, data } = next.value;
      expect(seq).toBe(position + data.length);
      position = seq;
      hash.update(data);
      const middle = end + sectionBytes / 4;
      if (fault === undefined && position > middle) fault = faults[section]?.();
      if (position < endOf(section)) continue;
      end = endOf(section);
      await fault;
      fault = undefined;
      await ask();
    }
    const whole = expectedOutput(lines);
    expect(position).toBe(whole.length);
    expect(hash.digest("hex")).toBe(hashOf(whole));
    expect(await handle).toMatchObject({ exitCode: 9, stderr: "" });
  },
);

it("goes on for another caller when one is killed", { timeout: 120_000 }, async () => {
  const runs = new Runs({
    client: world.openClient(),
    agentId: world.agentId,
    clock: systemClock,
  });
  const lines = ["a", "b", "c"];
  const input = lines.map((line) => `${line}\n`).join("");
  const handle: RunHandle = runs.run([process.execPath, "-e", producer], {
    stdin: { text: input },
  });
  await handle.started();
  const parts: Buffer[] = [];
  let received = 0;
  const whole = expectedOutput(lines);
  const attach = () =>
    spawn(
      process.execPath,
      [
        "--conditions=@slipway/source",
        slipway,
        "exec",
        "dev",
        "--attach",
        handle.id,
        "--after",
        String(received),
      ],
      {
        stdio: ["ignore", "pipe", "inherit"],
        env: {
          ...process.env,
          CODER_URL: world.server.url,
          CODER_SESSION_TOKEN: world.session,
          SLIPWAY_CONFIG_DIR: join(world.directory, "config"),
        },
      },
    );
  for (let kills = 0; kills < 2; kills += 1) {
    const caller = attach();
    const wanted = received + 1_000_000;
    for await (const bytes of caller.stdout) {
      parts.push(bytes);
      received += bytes.length;
      if (received > wanted) break;
    }
    caller.kill("SIGKILL");
    if (caller.exitCode === null && caller.signalCode === null) await once(caller, "exit");
  }
  const last = attach();
  const [rest] = await Promise.all([last.stdout.toArray(), once(last, "exit")]);
  const all = Buffer.concat([...parts, ...rest]);
  expect(all.length).toBe(whole.length);
  expect(hashOf(all)).toBe(hashOf(whole));
  expect(last.exitCode).toBe(9);
});
