import { tarMimeType, uploadFile } from "@slipway/api/files/routes";
import { getTemplate, listTemplates } from "@slipway/api/templates/routes";
import type { TemplateVersion } from "@slipway/api/templates/template-version";
import {
  createTemplateVersion,
  getTemplateVersion,
  getTemplateVersionLogs,
  updateActiveVersion,
} from "@slipway/api/templates/version-routes";
import { packTemplate, pushTemplate } from "@slipway/testkit";
import { type Header, pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";

import { openServer, type OpenServer } from "./support/open-server.ts";

/* Invalid templates and archives: the messages for the user who pushes them, and the absence of any creation. */

const opened = new AsyncDisposableStack();
let server: OpenServer;
let templateId: string;

const head = "driver: external\n";
const agent = "agents:\n  main:\n    os: linux\n    arch: amd64\n";
const good = head + agent;

beforeAll(async () => {
  server = opened.use(await openServer(inject("postgresUrl")));
  templateId = await pushTemplate(server.admin, "good", good);
});

afterAll(() => opened.disposeAsync());

/** Pushes an archive as a version of the template and waits for the result. */
async function push(bytes: Uint8Array): Promise<TemplateVersion> {
  const { hash } = await server.admin.upload(uploadFile, { bytes, contentType: tarMimeType });
  const params = { organization: "default" };
  const body = { file_id: hash, template_id: templateId };
  const { id } = await server.admin.call(createTemplateVersion, { params, body });
  return vi.waitUntil(
    async () => {
      const version = await server.admin.call(getTemplateVersion, { params: { version: id } });
      return version.job.completed_at === undefined ? undefined : version;
    },
    { timeout: 30_000, interval: 20 },
  );
}

async function errorsOf(version: TemplateVersion): Promise<readonly string[]> {
  const logs = await server.admin.call(getTemplateVersionLogs, { params: { version: version.id } });
  return logs.filter((log) => log.log_level === "error").map((log) => log.output);
}

/** A mistake, a template that contains it, and the position and text of the first problem. */
type Mistake = readonly [name: string, yaml: string, place: string, text: string];

const script = `${good}    scripts:\n      tidy: `;
const metadata = `${good}    metadata:\n      load: `;
const parameter = `${good}parameters:\n  size: `;
const preset = `${good}presets:\n  Small: `;

const parameters = (count: number): string =>
  Array.from({ length: count }, (_, at) => `  p${at}: { default: a }\n`).join("");

const mistakes: readonly Mistake[] = [
  ["nothing", "", "1:1", "missing key `driver`"],
  [
    "a text",
    "words",
    "1:1",
    'found "words", wanted a map with driver, display_name, description, icon, …',
  ],
  [
    "a list",
    "- driver: external",
    "1:1",
    "found a list, wanted a map with driver, display_name, description, icon, …",
  ],
  ["no driver", agent, "1:1", "missing key `driver`"],
  [
    "an unknown driver",
    `driver: externl\n${agent}`,
    "1:9",
    "driver: unknown driver `externl`; did you mean `external`? available: process, external",
  ],
  ["no agents", head, "1:1", "missing key `agents`"],
  ["a list of agents", `${head}agents:\n  - main`, "3:3", "agents: found a list, wanted a map"],
  [
    "a misspelt key",
    `${good}agnets: {}\n`,
    "6:1",
    "agnets: unknown key `agnets`; did you mean `agents`?",
  ],
  [
    "a misspelt key inside",
    `${good}    scrpts: {}\n`,
    "6:5",
    "agents.main.scrpts: unknown key `scrpts`; did you mean `scripts`?",
  ],
  ["a key twice", `${good}driver: process\n`, "6:1", "driver: duplicate key `driver`"],
  [
    "a tab",
    `${head}agents:\n\tmain: {}\n`,
    "3:1",
    "invalid YAML: Tabs are not allowed as indentation",
  ],
  ["an open quote", `${good}display_name: "demo`, "6:20", 'invalid YAML: Missing closing "quote'],
  [
    "an open brace",
    `${good}    env: { A: b\n`,
    "7:1",
    "invalid YAML: Flow map in block collection must be sufficiently indented and end with a }",
  ],
  ["two documents", `${good}---\n${head}`, "6:1", "found a second YAML document, wanted one"],
  [
    "a tag",
    `${good}    directory: !!binary aGk=\n`,
    "6:16",
    "found a YAML tag: tags are not supported",
  ],
  [
    "an alias of nothing",
    `${good}    env: *base\n`,
    "6:10",
    "agents.main.env: found an alias without an anchor",
  ],
  [
    "an unknown system",
    `${head}agents:\n  main: { os: linx, arch: amd64 }\n`,
    "3:15",
    'agents.main.os: found "linx", wanted one of linux, darwin, windows',
  ],
  [
    "a bad name",
    `${head}agents:\n  A b: { os: linux, arch: amd64 }\n`,
    "3:3",
    'agents.A b: found the name "A b", wanted lowercase letters and digits, with single dashes between them, at most 32 characters',
  ],
  [
    "a list for a text",
    `${good}    directory: [1]\n`,
    "6:16",
    "agents.main.directory: found a list, wanted a string",
  ],
  [
    "U+0000",
    `${good}    directory: "a\\0b"\n`,
    "6:16",
    "agents.main.directory: found a NUL or half a surrogate pair, wanted text without them",
  ],
  [
    "U+0000 in a key",
    `${good}"a\\0b": 1\n`,
    "6:1",
    "a\uFFFDb: unknown key `a\uFFFDb`; known keys: driver, display_name, description, icon, parameters, presets, on_claim, external_auth, agents",
  ],
  [
    "a script without a command",
    `${script}{ run_on: [start] }`,
    "7:7",
    "agents.main.scripts.tidy: missing key `run`",
  ],
  [
    "an unknown event",
    `${script}{ run: x, run_on: [boot] }`,
    "7:32",
    'agents.main.scripts.tidy.run_on[0]: found "boot", wanted one of start, stop; for a schedule use the key `cron` of the script',
  ],
  [
    "a bad minute",
    `${script}{ run: x, cron: "61 * * * *" }`,
    "7:29",
    'agents.main.scripts.tidy.cron: found "61" for the minute, wanted *, 0…59, a-b, a,b or */n with n up to 60',
  ],
  [
    "a wide step",
    `${script}{ run: x, cron: "*/91 * * * *" }`,
    "7:29",
    'agents.main.scripts.tidy.cron: found "*/91" for the minute, wanted *, 0…59, a-b, a,b or */n with n up to 60',
  ],
  [
    "a bad interval",
    `${metadata}{ display_name: L, run: x, interval: 10 seconds }`,
    "7:50",
    'agents.main.metadata.load.interval: found "10 seconds", wanted whole seconds such as 45s, 5m or 1h30m, from 1s to 1d',
  ],
  [
    "an unknown parameter",
    `${good}    env: { A: "\${{ parameters.siz }}" }\nparameters:\n  size: { default: a }\n`,
    "6:16",
    "agents.main.env.A: unknown parameter in `${{ parameters.siz }}`; did you mean `size`?",
  ],
  [
    "an unknown expression",
    `${good}    env: { A: "\${{ owner.mail }}" }\n`,
    "6:16",
    "agents.main.env.A: unknown expression `${{ owner.mail }}`; did you mean `owner.email`? (known: parameters.<name>, owner.id, owner.username, owner.name, owner.email, workspace.id, workspace.name, template.name, template.version, agent.name)",
  ],
  [
    "an open expression",
    `${good}    env: { A: "\${{ owner.email" }\n`,
    "6:16",
    "agents.main.env.A: found `${{` without `}}`; write `$${{` for a literal `${{`",
  ],
  [
    "a default of another type",
    `${parameter}{ type: number, default: many }`,
    "7:34",
    'parameters.size.default: invalid value: found "many", wanted a number',
  ],
  [
    "a default beyond its limits",
    `${parameter}{ type: number, default: 9, validation: { min: 1, max: 4 } }`,
    "7:34",
    "parameters.size.default: invalid value: found 9, wanted at most 4",
  ],
  [
    "a default that is no option",
    `${parameter}{ default: c, options: [{ name: A, value: a }] }`,
    "7:20",
    'parameters.size.default: invalid value: found "c", wanted one of "a"',
  ],
  [
    "an option twice",
    `${parameter}{ default: a, options: [{ name: A, value: a }, { name: B, value: a }] }`,
    "7:74",
    'parameters.size.options[1].value: duplicate value "a"',
  ],
  [
    "a bad expression",
    `${parameter}{ default: a, validation: { regex: "(", error: no } }`,
    "7:44",
    "parameters.size.validation.regex: found a regular expression that does not compile with RE2: missing closing ): `(`",
  ],
  [
    "a preset of no parameter",
    `${preset}{ parameters: { size: 1 } }`,
    "7:26",
    "presets.Small.parameters.size: unknown parameter `size`",
  ],
  [
    "many prebuilds",
    `${preset}{ prebuilds: { instances: 5000 } }`,
    "7:36",
    "presets.Small.prebuilds.instances: found the number 5000, wanted a whole number from 0 to 1000",
  ],
  [
    "an unknown time zone",
    `${preset}{ prebuilds: { instances: 1, schedule: { timezone: Europe/Berln, windows: [] } } }`,
    "7:61",
    'presets.Small.prebuilds.schedule.timezone: found the time zone "Europe/Berln", wanted an IANA name such as Europe/Berlin',
  ],
  [
    "a window that never comes",
    `${preset}{ prebuilds: { instances: 1, schedule: { timezone: UTC, windows: [{ cron: "* 8 31 2 *", instances: 1 }] } } }`,
    "7:84",
    'presets.Small.prebuilds.schedule.windows[0].cron: found "* 8 31 2 *", which never occurs, wanted a day that one of its months has',
  ],
  [
    "a bad address",
    `${good}    apps:\n      web: { url: "htp://x" }\n`,
    "7:19",
    'agents.main.apps.web.url: found the URL "htp://x", wanted one that starts with http:// or https://, or `external: true`',
  ],
  [
    "a bad variable",
    `${good}    env: { "A B": x }\n`,
    "6:12",
    'agents.main.env.A B: found the name "A B", wanted letters, digits and underscores, not beginning with a digit, at most 256 characters',
  ],
  [
    "too many parameters",
    `${good}parameters:\n${parameters(101)}`,
    "6:1",
    "parameters: found 101 entries, wanted at most 100",
  ],
  [
    "too many lines",
    `${good}${"x: 1\n".repeat(20_000)}`,
    "1:1",
    "found more than 50000 YAML tokens",
  ],
];

describe("a template with a mistake", () => {
  it.each(mistakes)("%s is told its line and column", async (_name, yaml, place, text) => {
    const version = await push(await packTemplate(yaml));
    const [line, column] = place.split(":");
    expect(version.job.status).toBe("failed");
    const told = version.job.error?.split(`line ${line}, column ${column}: `)[1];
    expect(text).toContain(told ?? "a place");
    expect(await errorsOf(version)).toContain(`slipway.yaml:${place}: ${text}`);
  });

  it("that is nested without end is told so", async () => {
    const version = await push(await packTemplate(`${head}agents: ${"[".repeat(30_000)}`));
    expect(version.job.error).toContain("the file is nested too deeply");
  });

  it("is not used for a template, and can not be made the active version", async () => {
    const version = await push(await packTemplate(head));
    const params = { template: templateId };
    const before = await server.admin.call(getTemplate, { params });
    await expect(
      server.admin.call(updateActiveVersion, { params, body: { id: version.id } }),
    ).rejects.toMatchObject({ status: expect.toSatisfy((code: number) => code < 500) });
    expect(await server.admin.call(getTemplate, { params })).toEqual(before);
    expect(await server.admin.call(listTemplates)).toHaveLength(1);
  });
});

interface Entry extends Partial<Header> {
  readonly name: string;
  readonly content?: string;
}

async function tar(...entries: readonly Entry[]): Promise<Uint8Array> {
  const archive = pack();
  for (const { content = "", ...headers } of entries) archive.entry(headers, content);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const definition: Entry = { name: "slipway.yaml", content: good };

/** Returns a tar whose first header has a wrong size. */
async function lying(size: string): Promise<Uint8Array> {
  const bytes = Buffer.from(await tar(definition));
  bytes.write(size.padEnd(12, "\0"), 124, "latin1");
  bytes.fill(0x20, 148, 156);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}

const archives: readonly (readonly [string, () => Promise<Uint8Array> | Uint8Array, string])[] = [
  [
    "a path out of it",
    () => tar(definition, { name: "../../etc/passwd", content: "x" }),
    'found the path "../../etc/passwd", wanted one without `..`',
  ],
  [
    "a path from the root",
    () => tar(definition, { name: "/etc/passwd", content: "x" }),
    "wanted one that is relative to the template",
  ],
  [
    "a path of Windows",
    () => tar(definition, { name: String.raw`a\..\..\b`, content: "x" }),
    "wanted one without `..`",
  ],
  [
    "a link out of it",
    () => tar(definition, { name: "a", type: "symlink", linkname: "../x" }),
    'found a link from a to "../x", wanted links within the template only',
  ],
  [
    "a hard link to a file of the server",
    () => tar(definition, { name: "a", type: "link", linkname: "/etc/passwd" }),
    "wanted links within the template only",
  ],
  [
    "a link in the place of the definition",
    () => tar({ name: "slipway.yaml", type: "symlink", linkname: "a" }),
    "found a link at slipway.yaml, wanted a file",
  ],
  [
    "a device",
    () => tar(definition, { name: "a", type: "block-device" }),
    "found a block-device at a, wanted files, directories and links only",
  ],
  [
    "2,000 entries",
    () => tar(definition, ...Array.from({ length: 2_000 }, (_, at) => ({ name: `f${at}` }))),
    "found more than 1000 entries",
  ],
  [
    "a definition of 2 MiB",
    () => tar({ ...definition, content: " ".repeat(2 * 1024 * 1024) }),
    "found 2097152 bytes in slipway.yaml, wanted at most 1048576",
  ],
  ["a size of a petabyte", () => lying("77777777777"), "in slipway.yaml, wanted at most 1048576"],
  ["a size beyond its end", () => lying("00000077777"), "is not a tar archive"],
  ["a size that is none", () => lying("\xb0"), "found no size of slipway.yaml in its header"],
  ["a size below zero", () => lying("-1"), "is not a tar archive"],
  [
    "two definitions",
    () => tar(definition, { ...definition, name: "slipway.yml" }),
    "found both slipway.yaml and slipway.yml, wanted one of them",
  ],
  ["no definition", () => tar({ name: "main.tf", content: "x" }), "this is a Terraform template"],
  [
    "a definition that is no text",
    () =>
      tar({ name: "slipway.yaml", content: "\xff" }).then((bytes) =>
        Buffer.from(Buffer.from(bytes).map((byte) => (byte === 0xc3 ? 0xff : byte))),
      ),
    "slipway.yaml is not UTF-8 text",
  ],
  ["a gzip", () => Uint8Array.of(0x1f, 0x8b, 8, 0), "found a gzip archive, wanted a plain tar"],
  ["random bytes", () => Buffer.alloc(10_240, "slip"), "is not a tar archive"],
  ["nothing", () => new Uint8Array(1024), "found an empty archive, wanted one with slipway.yaml"],
];

describe("an archive", () => {
  it.each(archives)("with %s is refused", async (_name, make, text) => {
    const version = await push(await make());
    expect(version.job).toMatchObject({ status: "failed", error: expect.stringContaining(text) });
    expect(await errorsOf(version)).toEqual([expect.stringContaining(text)]);
  });
});
