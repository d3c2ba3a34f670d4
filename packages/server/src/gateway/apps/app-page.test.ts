import { createServer } from "node:http";

import { openLocalServer } from "@slipway/testkit";
import { expect, it } from "vitest";

import type { OpenedApp } from "./app-access.ts";
import { type AppPage, sendAppPage } from "./app-page.ts";
import { AppError } from "./forward-request.ts";
import { failurePage, problemPage } from "./problem-pages.ts";

async function htmlOf(page: AppPage): Promise<string> {
  const server = createServer((request, response) => sendAppPage(request, response, page));
  await using opened = await openLocalServer(server);
  const answer = await fetch(opened.url, { headers: { Accept: "text/html" } });
  return await answer.text();
}

it("shows a command as such, and the address to open next as a link", async () => {
  const html = await htmlOf({
    status: 400,
    title: "Title",
    text: "Text.",
    advice: ["Start it: `slipway start <workspace>`."],
    next: { text: "Open it again", url: 'http://a.test/?b="c&d' },
  });
  expect(html).toContain("<li>Start it: <code>slipway start &lt;workspace&gt;</code>.</li>");
  expect(html).toContain('<a href="http://a.test/?b=&quot;c&amp;d">Open it again</a>');
});

it("tells people to start a workspace only if nothing starts it", () => {
  expect(problemPage({ type: "stopped", status: "stopped" }).advice?.join(" ")).toContain("Start");
  const { advice } = problemPage({ type: "stopped", status: "starting" });
  expect(advice).toEqual(["Wait until it is running, then reload this page."]);
});

it("lets the name of an app rearrange no other text", async () => {
  const app: OpenedApp = {
    workspaceId: "w",
    agentId: "a",
    name: "<b>evil\u202Egnp.\u001B[31mexe",
    url: { protocol: "http", port: 80, path: "", query: "" },
    level: "owner",
    cors: "simple",
    health: "disabled",
  };
  const page = failurePage(new AppError("ended", "\u202E"), app);
  const html = page && (await htmlOf(page));
  expect(html).toContain("<h1>&lt;b&gt;evilgnp.exe does not work</h1>");
  expect(html).not.toContain("\u202E");
});
