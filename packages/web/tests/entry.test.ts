import { testAdmin } from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Dashboard, expectSound, logInByPage, openDashboard } from "./support/dashboard.ts";

/* The pages before the log-in, and what every page has. */

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await openDashboard();
});
afterAll(() => dashboard[Symbol.asyncDispose]());

describe("a visitor", () => {
  it("logs in, and comes to the page that was asked for", async () => {
    const visitor = await dashboard.openPage();
    const { page } = visitor;
    await page.goto("/design?x=1");
    await page.getByRole("heading", { name: "Log in to Slipway" }).waitFor();
    await expectSound(visitor, /status of 401/);
    expect(await page.getByText("Your session has ended.").count()).toBe(0);
    await page.getByLabel("Email").fill(testAdmin.email);
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByRole("alert").getByText("Incorrect email or password.").waitFor();
    await page.getByLabel("Password").fill(testAdmin.password);
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.waitForURL("**/design?x=1");
  });

  it("is not led to another site", async () => {
    const { page } = await dashboard.openPage();
    await page.goto("/login?redirect=//attacker.example/login");
    await page.getByLabel("Email").fill(testAdmin.email);
    await page.getByLabel("Password").fill(testAdmin.password);
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByRole("heading", { name: "Workspaces" }).waitFor();
    expect(new URL(page.url()).origin).toBe(dashboard.server.url);
  });

  it("meets a page for an unknown address below one of ours", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.goto("/templates/a/b/c/d");
    await page.getByText("There is no such page").waitFor();
  });
});

describe("a session", () => {
  it("that ends leads to the log-in and back", async () => {
    const { page } = await dashboard.openPage();
    await logInByPage(page, testAdmin);
    await page.goto("/workspaces");
    await page.getByRole("heading", { name: "Workspaces" }).waitFor();
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Lax" });
    await page.request.post("/api/v2/users/logout", {
      headers: { Origin: dashboard.server.url },
    });
    await page.goto("/workspaces");
    await page.getByRole("heading", { name: "Log in to Slipway" }).waitFor();
    expect(new URL(page.url()).searchParams.get("redirect")).toMatch(/^\/workspaces\b/);
    await page.getByLabel("Email").fill(testAdmin.email);
    await page.getByLabel("Password").fill(testAdmin.password);
    await page.getByRole("button", { name: "Log in", exact: true }).click();
    await page.getByRole("heading", { name: "Workspaces" }).waitFor();
  });

  it("is closed by its user", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.getByRole("button", { name: testAdmin.email.split("@", 1)[0] ?? "" }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in to Slipway" }).waitFor();
    expect(await page.context().cookies()).toEqual([]);
  });
});

describe("the page", () => {
  it("says so when its script cannot be loaded, and is loaded again by a button", async () => {
    const { page } = await dashboard.openAdminPage();
    await page.route("**/assets/inbox-page*", (route) => route.abort());
    await page.goto("/inbox");
    await page.getByText("This page could not be loaded.").waitFor();
    await page.unroute("**/assets/inbox-page*");
    await page.getByRole("button", { name: "Load the page again" }).click();
    await page.getByText("No notifications yet").waitFor();
  });

  it("is for no other site, and runs no script but its own", async () => {
    const { page } = await dashboard.openPage();
    const response = await page.goto("/login");
    const policy = (await response?.headerValue("content-security-policy")) ?? "";
    for (const directive of [
      "default-src 'none'",
      "script-src 'self'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ]) {
      expect(policy.split("; ")).toContain(directive);
    }
    const ran = await page.evaluate(`(() => {
      const script = document.createElement("script");
      try { script.text = "globalThis.wasRun = true"; document.head.append(script); } catch {}
      return "wasRun" in globalThis;
    })()`);
    expect(ran).toBe(false);
  });
});
