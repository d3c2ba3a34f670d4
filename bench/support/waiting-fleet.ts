import { createInterface } from "node:readline";

import { parseUuid } from "@slipway/wire/bytes/uuid";

import { makeMany } from "./at-once.ts";
import { LightAgent } from "./light-agent.ts";
import type { FleetAnswer, FleetCommand, FleetReport, WaitingOrder } from "./open-waiting-fleet.ts";
import { ReinitSockets } from "./reinit-sockets.ts";
import { wallMs } from "./wall-clock.ts";

/*
 * Agents that wait for their owners, in a process of its own: many that cost the machine less than the product's do, as
 * real agents run elsewhere (`LightAgent`). Its input is a line of JSON, the `WaitingOrder`; each line after that is a
 * `FleetCommand`, answered with a line. Beside that it prints a `FleetReport` whenever something has happened to an
 * agent. The end of its input ends it.
 */

const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `openWaitingFleet`
const order = JSON.parse(String((await lines.next()).value)) as WaitingOrder;

// Every lost connection and ended wait is an error, whose stack nobody reads.
Error.stackTraceLimit = 0;

const sockets = new ReinitSockets();
const members = new Set<LightAgent>();
/** Keeps agents from dialing while it is set. */
let hold: PromiseWithResolvers<void> | undefined;

/** The time in which lines gather: each is stamped with its own time, and a write of its own would cost more than it. */
const gatherMs = 20;
let printed = "";

function print(line: FleetReport | FleetAnswer): void {
  if (printed === "") setTimeout(flush, gatherMs);
  printed += `${JSON.stringify(line)}\n`;
}

function flush(): void {
  process.stdout.write(printed);
  printed = "";
}

/** Adds an agent of a token; resolves once its start scripts would run for the first time, or at once for a stream. */
async function begin(token: string): Promise<void> {
  const { serverUrl, kind } = order;
  const begun = Promise.withResolvers<void>();
  const member = new LightAgent({
    serverUrl,
    token,
    sockets,
    isOnlyStream: kind === "streams",
    mayDial: async () => hold?.promise,
    onFrame: (workspaceId) => print({ kind: "frame", workspaceId, atMs: wallMs() }),
    onBegin: (manifest, life) => {
      const atMs = wallMs();
      begun.resolve();
      if (life === "first") return;
      const workspaceId = parseUuid(manifest.workspaceId);
      print({ kind: "start", workspaceId, manifestAtMs: atMs, atMs });
    },
  });
  members.add(member);
  // A wrong answer ends the process, and so the measurement.
  void member.live();
  if (kind === "agents") await begun.promise;
}

async function join(tokens: readonly string[]): Promise<null> {
  const open = sockets.count + tokens.length;
  await makeMany(tokens.length, (index) => begin(tokens[index] ?? ""));
  await sockets.until(open);
  return null;
}

async function answer(command: FleetCommand): Promise<unknown> {
  switch (command.do) {
    case "join":
      return join(command.tokens);
    case "cut":
      return sockets.cut();
    case "hold":
      hold ??= Promise.withResolvers();
      return null;
    case "release":
      hold?.resolve();
      hold = undefined;
      return null;
    case "leave":
      for (const member of members) {
        if (!member.isClaimed) continue;
        member.leave();
        members.delete(member);
      }
      return null;
  }
}

for await (const line of lines) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `openWaitingFleet`
  const command = JSON.parse(line) as FleetCommand;
  print({ kind: "answer", value: await answer(command) });
}
// Its sockets and loops would keep it alive.
process.kill(process.pid, "SIGKILL");
