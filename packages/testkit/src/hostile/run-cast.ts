import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import type { CastMessage, CastOrder } from "./cast-program.ts";
import type { CastName } from "./options.ts";
import type { Scoreboard } from "./scoreboard.ts";
import { type HostileTarget, targetData } from "./target.ts";

const program = fileURLToPath(new URL("cast-program.ts", import.meta.url));

/** Lets a group play until the signal aborts. Rejects when its process exits by itself. */
export async function runCast(
  cast: CastName,
  target: HostileTarget,
  scoreboard: Scoreboard,
  signal: AbortSignal,
): Promise<void> {
  const child = fork(program, { execArgv: ["--conditions=@slipway/source"], stdio: "inherit" });
  const exited = once(child, "exit");
  child.on("message", (message: CastMessage) => {
    if (message.type === "begins") scoreboard.begin(message.name);
    else scoreboard.end(message.name, message);
  });
  const order: CastOrder = { cast, target: targetData(target) };
  child.send(order);
  const kill = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  await exited;
  signal.removeEventListener("abort", kill);
  if (!signal.aborted) throw new Error(`process of ${cast} exited unexpectedly`);
}
