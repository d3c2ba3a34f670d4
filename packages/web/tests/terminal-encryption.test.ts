import { randomBytes } from "node:crypto";

import { makeWorkspace, pushTemplate } from "@slipway/testkit";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Dashboard, openDashboard } from "./support/dashboard.ts";
import { isInMemory } from "./support/process-memory.ts";

/* Who can read a terminal in the page: nobody but its two ends, if it is encrypted. */

const template = "driver: process\nagents: { main: { os: linux, arch: amd64 } }\n";
const path = "/@admin/secrets/terminal";

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await openDashboard();
  const templateId = await pushTemplate(dashboard.admin, "secrets", template);
  await makeWorkspace(
    dashboard.admin,
    "secrets",
    templateId,
    ({ status }) => status === "connected",
  );
});
afterAll(() => dashboard[Symbol.asyncDispose]());

/** Types and prints a text in a terminal of the page; returns once it was seen. */
async function typeAndPrint(page: Page, marker: string): Promise<void> {
  await page.getByLabel("Terminal input").focus();
  // The shell prints what nobody typed: the marker in upper case.
  await page.keyboard.type(`echo ${marker} | tr a-f A-F\n`);
  await page.locator(".xterm-rows").getByText(marker.toUpperCase()).first().waitFor();
}

/** Collects everything that the sockets of a page carry, which is all that the server and the relay get of it. */
function collectFrames(page: Page): Buffer[] {
  const frames: Buffer[] = [];
  page.on("websocket", (socket) => {
    const collect = ({ payload }: { readonly payload: string | Buffer }): void => {
      frames.push(Buffer.from(payload));
    };
    socket.on("framesent", collect).on("framereceived", collect);
  });
  return frames;
}

/** Returns a text that appears nowhere else. */
function newMarker(): string {
  return `a${randomBytes(12).toString("hex")}f`;
}

describe("a terminal of the page", () => {
  it("leaves nothing readable with the server and its relay if it is encrypted", async () => {
    const { page } = await dashboard.openAdminPage();
    const frames = collectFrames(page);
    await page.goto(path);
    await page.getByRole("button", { name: "End-to-end encrypted" }).click();
    await page.getByText("without being able to read it").waitFor();
    await page.keyboard.press("Escape");
    const marker = newMarker();
    await typeAndPrint(page, marker);
    const carried = Buffer.concat(frames);
    expect(carried.length).toBeGreaterThan(marker.length);
    for (const text of [marker, marker.toUpperCase()]) {
      expect(carried.includes(text)).toBe(false);
      expect(await isInMemory(dashboard.server.pid, text)).toBe(false);
    }
  });

  it("passes through the server where the page cannot join the network, and says so", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.route("**/workspaceagents/*/connection", (route) => route.abort());
    const frames = collectFrames(page);
    await page.goto(path);
    await page.getByRole("button", { name: "Not end-to-end encrypted" }).click();
    await page.getByText(/the server itself can read/).waitFor();
    await page.getByText(/^Reason: /).waitFor();
    await page.keyboard.press("Escape");
    const marker = newMarker();
    await typeAndPrint(page, marker);
    // The same searches find what the server carried. The browser may tell of a frame after it has shown its text.
    const isCarried = () => Buffer.concat(frames).includes(marker.toUpperCase());
    await expect.poll(isCarried).toBe(true);
    expect(await isInMemory(dashboard.server.pid, marker.toUpperCase())).toBe(true);
  });
});
