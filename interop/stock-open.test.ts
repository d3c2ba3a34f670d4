import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getKey } from "@slipway/api/users/key-routes";
import {
  logInAsAdmin,
  makeWorkspace,
  pushTemplate,
  type ServerProcess,
  startServerProcess,
} from "@slipway/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { runStockCommand, type StockResult } from "./support/run-stock-command.ts";
import { stockPrograms } from "./support/stock-program.ts";

/*
 * Stock commands open apps and workspaces of our server as far as possible without a browser: they print the address
 * that they would open. `vitest.config.ts` leaves this file out, and says so, where SLIPWAY_STOCK_COMMAND is not set.
 */

const template = `
driver: process
agents:
  main:
    os: linux
    arch: amd64
    directory: /usr/share
    apps:
      web: { url: "http://localhost:8080" }
      own: { url: "http://localhost:8081", subdomain: true }
      docs: { url: "https://docs.example.com/", external: true }
`;

const opened = new AsyncDisposableStack();
let directory = "";
let server: ServerProcess;
let admin: Awaited<ReturnType<typeof logInAsAdmin>>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-stock-"));
  // If the server is root, workspaces run as separate users, whose homes are below this directory.
  await chmod(directory, 0o711);
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  server = opened.use(
    await startServerProcess({
      dataDir: directory,
      port: 0,
      environment: { SLIPWAY_WILDCARD_ACCESS_URL: "*.apps.example.com" },
    }),
  );
  admin = await logInAsAdmin(server.url);
  const templateId = await pushTemplate(admin, "box", template);
  await makeWorkspace(admin, "demo", templateId, ({ status }) => status === "connected");
});

afterAll(() => opened.disposeAsync());

describe.each(stockPrograms("SLIPWAY_STOCK_COMMAND").map((one) => [one.name, one] as const))(
  "%s",
  (_name, program) => {
    const run = (line: string): Promise<StockResult> => {
      const environment = {
        CODER_URL: server.url,
        CODER_SESSION_TOKEN: admin.headers["Coder-Session-Token"] ?? "",
      };
      return runStockCommand(program, line.split(" "), { directory, input: "", environment });
    };

    it("lists the apps of a workspace", async () => {
      const { code, text } = await run("open app demo");
      expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining("docs") });
      expect(text).toContain("web");
    });

    it("finds the URLs of apps", async () => {
      const { host } = new URL(server.url);
      const urls = {
        web: `http://${host}/@admin/demo.main/apps/web/`,
        own: `http://own--demo--admin.apps.example.com:${new URL(server.url).port}/`,
        docs: "https://docs.example.com/",
      };
      for (const [slug, url] of Object.entries(urls)) {
        const { text } = await run(`open app demo ${slug} --test.open-error`);
        expect(text).toContain(`test.open-error: ${url}\n`);
      }
    });

    it("opens a workspace with a key of its own, and removes it when that fails", async () => {
      const failed = await run("open vscode demo local --test.open-error");
      expect(failed.code, failed.text).toBe(0);
      const url = new URL(failed.out.trim());
      expect(Object.fromEntries(url.searchParams)).toEqual({
        url: server.url,
        owner: "admin",
        workspace: "demo",
        agent: "main",
        folder: "/usr/share/local",
      });
      const kept = await run("open vscode demo --generate-token --test.open-error");
      const [id = ""] = new URL(kept.out.trim()).searchParams.get("token")?.split("-") ?? [];
      const key = await admin.call(getKey, { params: { user: "me", key: id } });
      expect(key).toMatchObject({ id });
    });

    it("shows the apps' agent as healthy", async () => {
      expect((await run("show demo")).text).toMatch(/main \(linux, amd64\)/);
      expect((await run("list")).text).toMatch(/admin\/demo +box +Started +true/);
    });
  },
);
