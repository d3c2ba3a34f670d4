import type { ConnectionLog } from "@slipway/api/agents/connection-log-routes";
import type { AuditLog } from "@slipway/api/audit/audit-log";
import { listAuditLogs } from "@slipway/api/audit/routes";
import { createToken } from "@slipway/api/users/key-routes";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  type Dashboard,
  expectSound,
  openDashboard,
  type WatchedPage,
} from "./support/dashboard.ts";
import { markup, shownMarkup } from "./support/hostile-text.ts";

/* The audit trail and the log of connections, with rows of every kind. */

const id = "11111111-1111-4111-8111-111111111111";
const audit = "**/api/v2/audit?*";
const connectionLog = "**/api/v2/connectionlog?*";

let dashboard: Dashboard;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  dashboard = await openDashboard();
  watched = await dashboard.openAdminPage();
  ({ page } = watched);
});
afterAll(() => dashboard[Symbol.asyncDispose]());

describe("the audit trail", () => {
  const pages = { limit: "25", offset: "0" };

  /** Answers with variations of a real entry. */
  async function showEntries(...entries: readonly Partial<AuditLog>[]): Promise<Locator> {
    const [real] = (await dashboard.admin.call(listAuditLogs, { query: pages })).audit_logs;
    const audit_logs = entries.map((entry, index) => ({ ...real, id: `${id}${index}`, ...entry }));
    await page.route(audit, (route) =>
      route.fulfill({ json: { audit_logs, count: 2000, count_cap: 2000 } }),
    );
    await page.goto("/audit");
    const list = page.getByRole("list", { name: "Entries" }).locator("> li");
    await expect.poll(() => list.count()).toBe(entries.length);
    return list;
  }

  it("tells what happened, to whom it was refused, and how much changed", async () => {
    const change = { old: "a", new: "b", secret: false };
    const list = await showEntries(
      { status_code: 399, diff: {}, resource_type: "api_key" },
      { status_code: 400, diff: { one: change }, user: null },
      { diff: { one: change, two: change }, resource_target: markup },
    );
    await list.nth(0).getByText("API key", { exact: true }).waitFor();
    expect(
      await list
        .nth(0)
        .getByText(/refused|change/)
        .count(),
    ).toBe(0);
    await list.nth(1).getByText("refused, 400").waitFor();
    await list.nth(1).getByText("1 change", { exact: true }).waitFor();
    await list.nth(1).getByText("the server").waitFor();
    await list.nth(2).getByText("2 changes", { exact: true }).waitFor();
    await page.getByText("1–25 of 2,000+").waitFor();
    await page.unroute(audit);
  });

  it("shows where a change came from, and what was there before and after", async () => {
    const list = await showEntries({
      ip: "203.0.113.7",
      user_agent: "",
    });
    const mark = list.locator("summary svg");
    const turn = (): Promise<string> =>
      mark.evaluate((one) => one.computedStyleMap().get("rotate")?.toString() ?? "");
    await mark.waitFor();
    expect(await turn()).toBe("none");
    await list.locator("summary").click();
    await list.getByText("Address").waitFor();
    await expect.poll(turn).toBe("90deg");
    expect(await list.getByText("Program").count()).toBe(0);
    await page.unroute(audit);
    await showEntries({
      ip: "203.0.113.7",
      user_agent: markup,
      additional_fields: { build_reason: "autostart", nothing: "" },
      diff: {
        name: { old: "older", new: markup, secret: false },
        hashed_password: { old: "", new: "never shown", secret: true },
      },
    });
    await list.locator("summary").click();
    const facts = await list.getByRole("definition").allTextContents();
    expect(facts).toContain("203.0.113.7");
    expect(facts).toContain(shownMarkup);
    expect(facts).toContain("autostart");
    await list.getByText("Build reason").waitFor();
    await list.getByText(`before: older`).waitFor();
    await list.getByText(`after: ${shownMarkup}`).waitFor();
    await list.getByText("A secret; its values are not recorded.").waitFor();
    expect(await list.getByText("never shown").count()).toBe(0);
    await expectSound(watched);
    await page.unroute(audit);
  });

  it("leads through its pages with the search, and begins a new search at the first", async () => {
    for (let count = 0; count < 26; count += 1) {
      const body = { token_name: `token-${String(count)}` };
      await dashboard.admin.call(createToken, { params: { user: "me" }, body });
    }
    await page.goto("/audit?q=resource_type:api_key+action:create");
    const targets = page.getByRole("list", { name: "Entries" }).locator("> li");
    await targets.first().getByText("token-25").waitFor();
    expect(await targets.count()).toBe(25);
    expect(await page.getByText("token-0", { exact: true }).count()).toBe(0);
    await page.getByRole("link", { name: "Next" }).click();
    await page.getByText("token-0", { exact: true }).waitFor();
    expect(await page.getByText("token-1", { exact: true }).count()).toBe(0);
    expect(await page.getByRole("searchbox").inputValue()).toContain("action:create");
    await page.getByLabel("Action").selectOption("login");
    await page.waitForURL((url) => !url.searchParams.has("page"));
    await page.getByLabel("From").fill("2026-01-31");
    await page.getByLabel("To", { exact: true }).fill("2026-02-01");
    await page.getByText("No entry matches").waitFor();
    expect(await page.getByRole("searchbox").inputValue()).toBe(
      "resource_type:api_key action:login date_from:2026-01-31 date_to:2026-02-01",
    );
  });

  it("says that it cannot be read, and reads it again", async () => {
    await page.route(audit, (route) =>
      route.fulfill({ status: 400, json: { message: "The trail is gone." } }),
    );
    await page.goto("/audit");
    await page.getByRole("alert").getByText("The trail is gone.").waitFor();
    await page.unroute(audit);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("list", { name: "Entries" }).locator("> li").first().waitFor();
    await expectSound(watched, /status of 400/);
  });
});

describe("the log of connections", () => {
  const row: ConnectionLog = {
    id,
    connect_time: "2026-01-31T10:00:00Z",
    organization: { id, name: "default", display_name: "", icon: "" },
    workspace_owner_id: id,
    workspace_owner_username: "ann",
    workspace_id: id,
    workspace_name: "box",
    agent_name: "main",
    user: { id, username: "eve" },
    ip: "203.0.113.7",
    type: "ssh",
    ssh_info: { connection_id: id, disconnect_time: "2026-01-31T10:01:30Z" },
  };

  async function showRows(...rows: readonly Partial<ConnectionLog>[]): Promise<Locator> {
    const connection_logs = rows.map((one, index) => ({ ...row, id: `${id}${index}`, ...one }));
    await page.route(connectionLog, (route) =>
      route.fulfill({ json: { connection_logs, count: 26, count_cap: 2000 } }),
    );
    await page.goto("/connectionlog?q=type:ssh");
    const found = page.getByRole("table", { name: "Connections" }).getByRole("row");
    await expect.poll(() => found.count()).toBe(rows.length + 1);
    return found;
  }

  /** Returns the texts of the cells of a row, without the first, which tells how long ago it began. */
  async function cellsOf(found: Locator): Promise<readonly string[]> {
    return (await found.getByRole("cell").allInnerTexts()).slice(1);
  }

  it("shows who connected to what, from where, for how long, and how it ended", async () => {
    const { user: _user, ip: _ip, ...unknown } = row;
    const { connection_id } = row.ssh_info;
    const ended = { ...row.ssh_info, disconnect_reason: markup };
    const found = await showRows(
      { ssh_info: { ...row.ssh_info, disconnect_reason: "graceful", exit_code: 0 } },
      { type: "vscode", agent_name: "gpu", ssh_info: { ...row.ssh_info, exit_code: 130 } },
      { type: "reconnecting_pty", ssh_info: ended },
      { connect_time: new Date().toISOString(), ssh_info: { connection_id } },
    );
    expect(await cellsOf(found.nth(1))).toEqual([
      "eve",
      "ann/box",
      "SSH",
      "203.0.113.7",
      "1 min 30 s",
    ]);
    expect(await cellsOf(found.nth(2))).toEqual([
      "eve",
      "ann/box gpu",
      "VS Code",
      "203.0.113.7",
      "1 min 30 s\n\nExit code 130",
    ]);
    await found.nth(3).getByText(shownMarkup).last().waitFor();
    await found
      .nth(4)
      .getByText(/^Open for/)
      .last()
      .waitFor();
    await page.getByText("1–25 of 26", { exact: true }).waitFor();
    const next = page.getByRole("link", { name: "Next" });
    expect(await next.getAttribute("href")).toMatch(/q=type.*page=2/);
    await expectSound(watched);
    await page.unroute(connectionLog);
    await page.route(connectionLog, (route) =>
      route.fulfill({ json: { connection_logs: [unknown], count: 1, count_cap: 2000 } }),
    );
    await page.reload();
    await expect.poll(() => cellsOf(found.nth(1))).toContain("Unknown");
    expect((await cellsOf(found.nth(1))).filter((text) => text === "Unknown")).toHaveLength(2);
    await page.unroute(connectionLog);
  });

  it("shows all of a row without scrolling sideways, on a phone too", async () => {
    const name = "a-name-of-32-characters-as-it-is";
    const found = await showRows({
      workspace_owner_username: name,
      workspace_name: name,
      agent_name: name,
      user: { id, username: name },
      ip: "2001:db8:85a3:1234:5678:8a2e:370:7334",
      type: "jetbrains",
      ssh_info: { ...row.ssh_info, disconnect_reason: "some reason ".repeat(20) },
    });
    const table = page.getByRole("region", { name: "Connections" });
    const hidden = (): Promise<number> =>
      table.evaluate((one) => one.scrollWidth - one.clientWidth);
    expect(await hidden()).toBe(0);
    await page.setViewportSize({ width: 390, height: 844 });
    await expect.poll(hidden).toBe(0);
    const seen = await found.nth(1).innerText();
    for (const text of [name, "JetBrains", "from 2001:db8", "1 min 30 s", "some reason", "ago"]) {
      expect(seen).toContain(text);
    }
    await expectSound(watched);
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.unroute(connectionLog);
  });

  it("is filtered by what is open and by days", async () => {
    await page.goto("/connectionlog");
    await page.getByLabel("Type").selectOption("Terminal");
    await page.getByLabel("State").selectOption("Open");
    await page.getByLabel("From").fill("2026-01-31");
    await page.getByLabel("Before").fill("2026-02-01");
    await page.getByText("No connection matches").waitFor();
    const text = "type:reconnecting_pty status:ongoing";
    const days = "connected_after:2026-01-31 connected_before:2026-02-01";
    await expect.poll(() => page.getByRole("searchbox").inputValue()).toBe(`${text} ${days}`);
  });

  it("shows a new connection without a reload", async () => {
    const own = await dashboard.openAdminPage();
    await own.page.clock.install();
    await own.page.goto("/connectionlog");
    await own.page.getByText("No connections yet").waitFor();
    await own.page.route(connectionLog, (route) =>
      route.fulfill({ json: { connection_logs: [row], count: 1, count_cap: 2000 } }),
    );
    await own.page.clock.fastForward(30_000);
    await own.page.getByText("ann/box").waitFor();
  });
});
