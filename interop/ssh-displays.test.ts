import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { agents } from "./support/network/agents.ts";
import { ourCommand } from "./support/network/commands.ts";
import { OpenSsh } from "./support/network/openssh.ts";
import { type ReachedAgent, startAgent } from "./support/network/reached-agent.ts";
import { type NetworkServer, ourServer } from "./support/network/servers.ts";

/*
 * Programs of a workspace on this machine's X11 display, provided by Xvfb. `vitest.config.ts` leaves this file out
 * where its programs are missing.
 */

const opened = new AsyncDisposableStack();
let homes = "";
let server: NetworkServer;
let display = "";

beforeAll(async () => {
  homes = await mkdtemp(join(tmpdir(), "slipway-displays-"));
  opened.defer(() => rm(homes, { recursive: true, force: true }));
  server = opened.use(await ourServer.open());
  display = await startDisplay();
});
afterAll(() => opened.disposeAsync());

/** Starts a display with a free number; returns its name. */
async function startDisplay(): Promise<string> {
  const xvfb = spawn("Xvfb", ["-displayfd", "1", "-screen", "0", "800x600x24"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  opened.defer(() => void xvfb.kill());
  let text = "";
  // A closed pipe would end Xvfb at its next write.
  for await (const chunk of xvfb.stdout.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.endsWith("\n")) break;
  }
  if (text === "") throw new Error("Xvfb has ended");
  xvfb.stdout.resume();
  return `:${text.trim()}`;
}

describe.each(agents.map((agent) => [agent.name, agent] as const))("%s", (_, agent) => {
  let reached: ReachedAgent;
  let openSsh: OpenSsh;

  beforeAll(async () => {
    reached = await startAgent(agent, server, await mkdtemp(join(homes, "a-")));
    openSsh = await OpenSsh.configure(ourCommand, server, homes);
  });
  afterAll(() => reached[Symbol.asyncDispose]());

  async function onDisplay(line: string): Promise<string> {
    const child = openSsh.start("ssh", ["-Y", reached.host, line], { DISPLAY: display });
    child.stdin?.end();
    const parts: unknown[] = [];
    for await (const part of child.stdout ?? []) parts.push(part);
    return parts.join("");
  }

  it("shows programs on the display of the client, several at once", async () => {
    const printed = await onDisplay("xdpyinfo >one & xdpyinfo >two; wait; cat one two");
    expect(printed.match(/dimensions: +800x600 pixels/g)?.length).toBe(2);
    expect(printed.match(/^name of display: +localhost:\d+\.0$/gm)?.length).toBe(2);
  });

  it("lets in no program without the cookie", async () => {
    expect(await onDisplay("XAUTHORITY=/nowhere xdpyinfo 2>&1")).toMatch(/unable to open display/);
  });
});
