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
import { good, head, mistakes } from "./support/template-mistakes.ts";

/* Invalid templates and archives: the messages for the user who pushes them, and the absence of any creation. */

const opened = new AsyncDisposableStack();
let server: OpenServer;
let templateId: string;

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
  ["no definition", () => tar({ name: "main.txt", content: "x" }), "looked for slipway.yaml"],
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
