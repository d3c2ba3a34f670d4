import { createInterface } from "node:readline";

import { AgentLife, decide, type ScriptStages } from "@slipway/agent/session";
import { abortable, silentLogger, systemClock } from "@slipway/runtime";

import { makeMany } from "./at-once.ts";
import type { FleetAnswer, FleetCommand, FleetReport, WaitingOrder } from "./open-waiting-fleet.ts";
import { dialPlainly } from "./plain-web-socket.ts";
import { ReinitSockets } from "./reinit-sockets.ts";
import { wallMs } from "./wall-clock.ts";

/*
 * Agents that wait for their owners, in a process of its own: the product's own agent, many times, without scripts, over
 * connections that cost the machine less than the product's do, as real agents run elsewhere. Its input is a line of JSON, the `WaitingOrder`; each line after that is a `FleetCommand`, answered with a line. Beside that
 * it prints a `FleetReport` whenever something has happened to an agent. The end of its input ends it.
 */

const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `openWaitingFleet`
const order = JSON.parse(String((await lines.next()).value)) as WaitingOrder;

// Every lost connection and ended wait is an error, whose stack nobody reads.
Error.stackTraceLimit = 0;

const never = new Promise<never>(() => undefined);
const sockets = new ReinitSockets();
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

/** An agent of one token. */
class Member {
  readonly token: string;
  readonly #leaving = new AbortController();
  readonly #begun = Promise.withResolvers<void>();
  #manifestAtMs = 0;
  #isClaimed = false;

  constructor(token: string) {
    this.token = token;
  }

  get isClaimed(): boolean {
    return this.#isClaimed;
  }

  /** Lives; resolves once the start scripts would run for the first time, or at once for an agent that only streams. */
  async begin(): Promise<void> {
    const { serverUrl } = order;
    const { token } = this;
    const life = new AgentLife({
      dial: async (signal) => {
        if (order.kind === "streams") return abortable(never, signal);
        await abortable(hold?.promise ?? Promise.resolve(), signal);
        return dialPlainly(serverUrl, token, signal);
      },
      waitForReinit: async (signal) => {
        const found = await sockets.wait(serverUrl, token, signal);
        if (found.kind === "event") {
          print({ kind: "frame", workspaceId: found.event.workspaceId ?? "", atMs: wallMs() });
        }
        return found;
      },
      decide: (...input) => {
        const decision = decide(...input);
        if (decision === "reinit") this.#manifestAtMs = wallMs();
        return decision;
      },
      network: undefined,
      openSocket: undefined,
      openScripts: ({ manifest }) => this.#openScripts(manifest.workspace.workspaceId),
      machine: {
        token: () => token,
        user: { name: "user", home: "/", shell: "/bin/sh" },
        home: "/",
        environment: {},
        binDirectory: "/",
        inside: {
          serverUrl: "http://slipway.test",
          socketPath: undefined,
          commandDirectory: undefined,
        },
      },
      directories: { dataDir: "/", logDir: "/" },
      subsystems: [],
      clock: systemClock,
      random: Math.random,
      logger: silentLogger,
      serverUrl,
    });
    void life.run({ interrupted: never, forced: this.#leaving.signal });
    if (order.kind === "agents") await this.#begun.promise;
  }

  leave(): void {
    this.#leaving.abort();
  }

  #openScripts(workspaceId: string): ScriptStages {
    return {
      start: async () => {
        const atMs = wallMs();
        if (this.#manifestAtMs > 0) {
          this.#isClaimed = true;
          print({ kind: "start", workspaceId, manifestAtMs: this.#manifestAtMs, atMs });
        }
        this.#begun.resolve();
        return "ok";
      },
      startSchedules: () => undefined,
      close: async () => undefined,
      stop: async () => "ok",
    };
  }
}

const members = new Set<Member>();

async function join(tokens: readonly string[]): Promise<null> {
  const open = sockets.count + tokens.length;
  const joining = tokens.map((token) => new Member(token));
  await makeMany(joining.length, async (index) => {
    const member = joining[index];
    if (member === undefined) return;
    members.add(member);
    await member.begin();
  });
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
