import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { readGreeting } from "./greeting.ts";

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "slipway-greeting-"));
  writeFileSync(join(home, "motd"), "hello\nworld\n");
});
afterAll(() => rmSync(home, { recursive: true }));

it("shows the announcements, then the message of the day, with the ends of a terminal's lines", async () => {
  const source = {
    banners: [" maintenance\n at noon ", "", "two"],
    motdPath: join(home, "motd"),
    home,
  };
  expect(await readGreeting(source)).toBe(
    "maintenance\r\n at noon\r\n\r\ntwo\r\n\r\nhello\r\nworld\r\n",
  );
});

it.each(["", "/no/such/file", "/", "/dev/zero"])(
  "says nothing without announcements and with %j",
  async (motdPath) => {
    expect(await readGreeting({ banners: [], motdPath, home })).toBe("");
  },
);

it("leaves out the message of the day, but no announcement, for those who want none", async () => {
  const quiet = mkdtempSync(join(home, "quiet-"));
  writeFileSync(join(quiet, ".hushlogin"), "");
  const source = { banners: ["one"], motdPath: join(home, "motd"), home: quiet };
  expect(await readGreeting(source)).toBe("one\r\n\r\n");
});

it("shows announcements that cannot control the terminal", async () => {
  const banners = ["\u001b[2J\u001b]0;title\u0007\u001b[1;1Hall\rclear\u009b2J"];
  expect(await readGreeting({ banners, motdPath: "", home })).toBe("all␍clear\r\n\r\n");
});

it("waits for nobody who might write a message of the day into a pipe", async () => {
  const motdPath = join(home, "pipe");
  execFileSync("mkfifo", [motdPath]);
  expect(await readGreeting({ banners: ["one"], motdPath, home })).toBe("one\r\n\r\n");
});
