import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { getBuildLogs } from "@slipway/api/builds/routes";
import { freshName, makeWorkspace, pushTemplate } from "@slipway/testkit";
import type { Page, Route } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import {
  type Dashboard,
  expectSound,
  openDashboard,
  type WatchedPage,
} from "./support/dashboard.ts";
import { hold, type HeldRequest } from "./support/held-request.ts";
import { expectFocus } from "./support/keyboard.ts";

/* The files of a workspace, with a real agent. */

const template = "driver: process\nagents:\n  main: { os: linux, arch: amd64 }\n";
/** The name of a file, and the text that the page shows of it. */
const markup = "<img src=x onerror=alert(1)>\u202Egnp.txt";
const shownMarkup = "<img src=x onerror=alert(1)>gnp.txt";
/** The browser's errors about refused writes, and about sockets that break while an agent is gone. */
const refusals = /WebSocket|status of [45]\d\d/;

let dashboard: Dashboard;
let templateId = "";
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  dashboard = await openDashboard();
  templateId = await pushTemplate(dashboard.admin, "box", template);
  watched = await dashboard.openAdminPage();
  ({ page } = watched);
});
afterAll(() => dashboard[Symbol.asyncDispose]());

interface Tree {
  readonly workspace: string;
  readonly buildId: string;
  /** The directory of the files, which the page shows. */
  readonly directory: string;
}

/** Makes a workspace, and opens a directory of it that contains these files. */
async function openTree(files: Readonly<Record<string, string | Uint8Array>>): Promise<Tree> {
  const workspace = freshName("files");
  const { id, latest_build: build } = await makeWorkspace(
    dashboard.admin,
    workspace,
    templateId,
    ({ lifecycle_state: state }) => state === "ready",
  );
  const directory = join(dashboard.dataDir, "workspaces", id, "home", "tree");
  mkdirSync(directory);
  // The agent may run as another user than the test.
  chmodSync(directory, 0o777);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, name), content);
    chmodSync(join(directory, name), 0o666);
  }
  await page.goto(`/@admin/${workspace}/files?path=${encodeURIComponent(directory)}`);
  await page.getByRole("navigation", { name: "Path" }).getByText("tree").waitFor();
  return { workspace, buildId: build.id, directory };
}

async function openFile(name: string): Promise<void> {
  await page.getByRole("link", { name, exact: true }).click();
}

it("shows, edits, uploads and deletes files, whose names are only text", async () => {
  const { directory } = await openTree({ [markup]: "<b>one</b>" });
  const place = join(directory, markup);
  await openFile(shownMarkup);
  const editor = page.getByRole("textbox");
  await editor.fill("two");
  await expectSound(watched);
  writeFileSync(place, "meanwhile");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("The file has changed since you opened it.").waitFor();
  await page.getByRole("button", { name: "Overwrite" }).click();
  await page.getByText("Saved.").waitFor();
  expect(readFileSync(place, "utf8")).toBe("two");
  await page.getByLabel("Files to upload").setInputFiles({
    name: "new.txt",
    mimeType: "text/plain",
    buffer: Buffer.from("uploaded"),
  });
  await page.getByRole("link", { name: "new.txt", exact: true }).waitFor();
  await page.getByRole("button", { name: "Delete new.txt" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("link", { name: "new.txt", exact: true }).waitFor({ state: "detached" });
  expect(readdirSync(directory)).toHaveLength(1);
  await expectSound(watched, refusals);
});

it("saves the line breaks of a file as they were", async () => {
  const { directory } = await openTree({ "a.bat": "one\r\ntwo\r\n" });
  await openFile("a.bat");
  await page.getByRole("textbox").press("ControlOrMeta+Home");
  await page.keyboard.type("zero\n");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Saved.").waitFor();
  expect(readFileSync(join(directory, "a.bat"), "utf8")).toBe("zero\r\none\r\ntwo\r\n");
});

it("makes and renames a folder by the keyboard, from the field of its name", async () => {
  const { directory } = await openTree({});
  await page.getByText("This folder is empty").waitFor();
  await page.getByRole("button", { name: "New folder" }).click();
  const dialog = page.getByRole("dialog");
  await expectFocus(dialog.getByLabel("Name"));
  // Nothing happens without a name.
  await page.keyboard.press("Enter");
  await page.keyboard.type("src");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "src", exact: true }).waitFor();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Rename src" }).click();
  await expectFocus(dialog.getByLabel("Name"));
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("lib");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "lib", exact: true }).waitFor();
  expect(readdirSync(directory)).toEqual(["lib"]);
  await expectSound(watched);
});

it("offers what it cannot show as a download", async () => {
  const binary = Uint8Array.of(0, 1, 2);
  await openTree({ "a.dat": binary, "large.txt": "x".repeat(1024 * 1024 + 1) });
  for (const [name, reason] of [
    ["large.txt", "too large to show"],
    ["a.dat", "not a text file"],
  ] as const) {
    await openFile(name);
    await page.getByText(reason).waitFor();
    const downloaded = page.waitForEvent("download");
    await page
      .getByRole("link", { name: `Download ${name}` })
      .first()
      .click();
    expect((await downloaded).suggestedFilename()).toBe(name);
  }
  await expectSound(watched);
});

it("asks before text that was not saved is left", async () => {
  const { directory } = await openTree({ "a.txt": "one", "b.txt": "other" });
  await openFile("a.txt");
  const editor = page.getByRole("textbox", { name: join(directory, "a.txt") });
  const question = page.getByRole("dialog", { name: "Leave without saving?" });
  await editor.fill("two");
  await openFile("b.txt");
  await question.getByRole("button", { name: "Cancel" }).click();
  expect(await editor.inputValue()).toBe("two");
  await page.getByRole("button", { name: "Close file" }).click();
  await question.waitFor();
  await expectSound(watched);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Saved.").waitFor();

  // There is nothing to lose now.
  await openFile("b.txt");
  const other = page.getByRole("textbox", { name: join(directory, "b.txt") });
  await other.fill("lost");
  await page.getByRole("link", { name: "Builds" }).click();
  await question.getByRole("button", { name: "Leave" }).click();
  await page.waitForURL("**/builds");
  expect(readFileSync(join(directory, "a.txt"), "utf8")).toBe("two");
  expect(readFileSync(join(directory, "b.txt"), "utf8")).toBe("other");
});

it("asks before a text is left that is being saved, and leaves once it is", async () => {
  const { directory } = await openTree({ "a.txt": "one" });
  const place = join(directory, "a.txt");
  const editor = page.getByRole("textbox", { name: place });
  const question = page.getByRole("dialog", { name: "Leave before your changes are saved?" });
  const refuse = (route: Route): Promise<void> =>
    route.fulfill({ status: 500, json: { message: "The disk is full." } });
  const saveAndLeave = async (text: string): Promise<HeldRequest> => {
    const save = await hold(page, "**/files/content?*", "PUT");
    await editor.fill(text);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await save.arrived;
    await page.getByRole("link", { name: "Builds" }).click();
    await question.waitFor();
    return save;
  };
  await openFile("a.txt");
  const refused = await saveAndLeave("two");
  await expectSound(watched);
  refused.release(refuse);
  await page.getByRole("dialog", { name: "Leave without saving?" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("The disk is full.").waitFor();
  expect(await editor.inputValue()).toBe("two");

  (await saveAndLeave("three")).release();
  await page.waitForURL("**/builds");
  expect(readFileSync(place, "utf8")).toBe("three");

  await page.goBack();
  await expect.poll(() => editor.inputValue()).toBe("three");
  const left = await saveAndLeave("lost");
  await question.getByRole("button", { name: "Leave" }).click();
  await page.waitForURL("**/builds");
  left.release(refuse);
  await page.getByText(`${place} was not saved: The disk is full.`).waitFor();
  await expectSound(watched, refusals);
});

it("keeps what was typed while the agent is lost", async () => {
  const { directory, buildId } = await openTree({ "a.txt": "one" });
  await openFile("a.txt");
  const editor = page.getByRole("textbox", { name: join(directory, "a.txt") });
  await editor.fill("two");
  const log = await dashboard.admin.call(getBuildLogs, { params: { build: buildId } });
  const pid = log.map(({ output }) => /runs as process (\d+)/.exec(output)?.[1]).find(Boolean);
  process.kill(Number(pid), "SIGKILL");
  await page.getByText("Files are available once the agent is connected").waitFor();
  expect(await editor.inputValue()).toBe("two");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("alert").waitFor();
  expect(await editor.inputValue()).toBe("two");
  expect(existsSync(directory)).toBe(true);
  await expectSound(watched, refusals);
});
