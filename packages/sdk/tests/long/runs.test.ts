import { randomUUID } from "node:crypto";

import { systemClock } from "@slipway/runtime";
import {
  openReachedWorkspace,
  openTestDatabase,
  type ReachedWorkspace,
  TcpProxy,
} from "@slipway/testkit";
import { afterAll, beforeAll, expect, inject, it } from "vitest";

import { Runs } from "../../src/runs.ts";

const opened = new AsyncDisposableStack();
let world: ReachedWorkspace;

beforeAll(async () => {
  const { url } = opened.use(await openTestDatabase(inject("postgresUrl")));
  world = opened.use(await openReachedWorkspace({ SLIPWAY_POSTGRES_URL: url }));
  await world.untilConnected();
});

afterAll(() => opened.disposeAsync());

function openRuns(serverUrl?: string): Runs {
  return new Runs({
    client: world.openClient(serverUrl),
    agentId: world.agentId,
    clock: systemClock,
  });
}

it("resolves to the result of a command", async () => {
  const result = await openRuns().run("echo out; echo err >&2; exit 3", { env: { A: "b" } });
  expect(result).toEqual({
    exitCode: 3,
    signal: undefined,
    timedOut: false,
    stdout: "out\n",
    stderr: "err\n",
    truncated: false,
  });
  const words = await openRuns().run(["printf", "%s", "ä $HOME"]);
  expect(words.stdout).toBe("ä $HOME");
});

it("iterates over output as it comes, and takes input", async () => {
  const handle = openRuns().run(["cat"], { stdin: "open" });
  await handle.write("one ");
  const seen: string[] = [];
  for await (const { text, seq, stream } of handle) {
    seen.push(text);
    expect([stream, seq]).toEqual(["stdout", seen.join("").length]);
    if (seen.join("") === "one ") await handle.write("two");
    if (seen.join("") === "one two") handle.closeStdin();
  }
  expect(seen.join("")).toBe("one two");
  expect(await handle).toMatchObject({ exitCode: 0, stdout: "one two" });
});

it("calls back with output, and collects its end", async () => {
  const texts: string[] = [];
  const handle = openRuns().run("seq 1 100000", {
    onStdout: (text) => texts.push(text),
    maxOutputBytes: 7,
  });
  expect(await handle).toMatchObject({ stdout: "100000\n", truncated: true });
  expect(texts.join("")).toHaveLength(588_895);
});

it("ends by signals and time limits", async () => {
  const runs = openRuns();
  const handle = runs.run("trap 'exit 7' INT; echo go; while :; do sleep 0.02; done");
  for await (const _ of handle) await handle.signal("INT");
  expect(await handle).toMatchObject({ exitCode: 7 });
  expect(await runs.run(["sleep", "100"], { timeoutMs: 200 })).toMatchObject({
    exitCode: undefined,
    signal: "SIGTERM",
    timedOut: true,
  });
});

it("has a terminal", async () => {
  const handle = openRuns().run("stty size; read x; stty size", {
    pty: { columns: 90, rows: 30 },
    stdin: "open",
  });
  let text = "";
  for await (const output of handle) {
    text += output.text;
    if (text !== "30 90\r\n") continue;
    handle.resize({ columns: 70, rows: 20 });
    await handle.write("\n");
  }
  expect(text).toMatch(/30 90[^]*20 70/);
});

it("attaches after a position, from another client", async () => {
  const handle = openRuns().run("seq 1 3; sleep 0.2; seq 4 6");
  await handle.started();
  const other = await openRuns().attach(handle.id, { after: 4 });
  expect(other).toMatchObject({ stdout: "3\n4\n5\n6\n", exitCode: 0 });
  expect(await openRuns().list()).toEqual(
    expect.arrayContaining([expect.objectContaining({ id: handle.id, status: "exited" })]),
  );
});

it("starts once while connections break, and leaves no output out", async () => {
  const port = Number(new URL(world.server.url).port);
  await using proxy = await TcpProxy.open(() => [{ port }]);
  const runs = openRuns(proxy.url);
  const id = randomUUID();
  const command = 'echo "$$"; i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo $i; sleep 0.05; done';
  const handle = runs.run(command, { id, signal: AbortSignal.timeout(30_000) });
  let text = "";
  let cuts = 0;
  for await (const output of handle) {
    text += output.text;
    if (cuts >= 3) continue;
    cuts += 1;
    for (const link of proxy.links) link.cut();
  }
  const numbers = Array.from({ length: 20 }, (_, index) => index + 1).join("\n");
  expect(text).toMatch(new RegExp(`^\\d+\n${numbers}\n$`));
  expect(await runs.run(command, { id })).toMatchObject({ stdout: text });
});

it("says that a run is gone with the instance of its agent", async () => {
  const runs = openRuns();
  const handle = runs.run(["sleep", "1000"]);
  const started = await handle.started();
  await world.restartAgent();
  await expect
    .poll(
      () =>
        openRuns()
          .run(["echo", "again"])
          .then(
            ({ stdout }) => stdout,
            () => "",
          ),
      {
        timeout: 20_000,
      },
    )
    .toBe("again\n");
  const facts = { body: { code: "gone", admitted: "no", retryable: false }, status: 410 };
  await expect(handle).rejects.toMatchObject(facts);
  await expect(handle.signal("KILL")).rejects.toMatchObject(facts);
  // A new start learns of the new instance by itself.
  expect(await runs.run(["echo", "new"])).toMatchObject({ stdout: "new\n" });
  const [first] = await runs.list();
  expect(first?.instance_id).not.toBe(started.instance_id);
});
