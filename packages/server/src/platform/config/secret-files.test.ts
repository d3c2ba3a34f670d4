import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { problemsOf } from "../../../tests/support/settings-problems.ts";
import { readSettings } from "./settings.ts";
import { recordReads, unknownVariables } from "./unknown-variables.ts";

const key = "k".repeat(32);

async function secretFile(text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-secret-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, "secret");
  await writeFile(path, text);
  return path;
}

it("reads secrets from files, without the line end", async () => {
  const recorded = recordReads({
    SLIPWAY_SECRET_KEY_FILE: await secretFile(`${key}\n`),
    SLIPWAY_ADMIN_PASSWORD_FILE: await secretFile("a b"),
    SLIPWAY_POSTGRES_URL: "postgres://slipway@database/slipway",
    PGPASSWORD_FILE: await secretFile("p&w\r\n"),
  });
  const settings = readSettings(recorded.source, false);
  expect(settings).toMatchObject({
    secretKeys: [key],
    admin: { password: "a b" },
    postgresUrl: "postgres://slipway@database/slipway?password=p%26w",
  });
  expect(unknownVariables(recorded)).toEqual([]);
});

it("reports files that are missing or empty, and secrets given twice, but no secret", async () => {
  const problems = problemsOf({
    SLIPWAY_SECRET_KEY_FILE: "/nonexistent/key",
    PGPASSWORD_FILE: await secretFile("\n"),
    SLIPWAY_ADMIN_PASSWORD: "secret-password",
    SLIPWAY_ADMIN_PASSWORD_FILE: await secretFile("other-password"),
    SLIPWAY_POSTGRES_URL_FILE: await secretFile("mysql://ada:other-password@host"),
  });
  expect(problems).toEqual([
    expect.stringMatching(/^SLIPWAY_ADMIN_PASSWORD_FILE must be unset while .* is set, found/),
    expect.stringMatching(
      /^SLIPWAY_SECRET_KEY_FILE must be a file with the secret \(ENOENT\), found "\/nonexistent\/key"$/,
    ),
    expect.stringMatching(/^PGPASSWORD_FILE must be a file with the secret \(empty\), found/),
    expect.stringMatching(/^SLIPWAY_POSTGRES_URL must be a URL that begins with/),
  ]);
  expect(problems.join()).not.toMatch(/secret-password|other-password/);
});
