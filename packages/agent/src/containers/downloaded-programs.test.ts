import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";

import { pack } from "tar-stream";
import { expect, it, onTestFinished } from "vitest";

import { DownloadedPrograms } from "./downloaded-programs.ts";

const { signal } = new AbortController();

async function packProgram(): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: "slipway/bin/slipway", mode: 0o755 }, "#!/bin/sh\n");
  archive.finalize();
  return gzipSync(await buffer(archive));
}

async function openPrograms(listener: RequestListener) {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const parent = mkdtempSync(join(tmpdir(), "slipway-programs-"));
  onTestFinished(() => {
    server.close();
    rmSync(parent, { recursive: true });
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const directory = join(parent, "programs");
  const open = () => new DownloadedPrograms({ serverUrl: `http://127.0.0.1:${port}`, directory });
  return { directory, open };
}

/** Answers as a server with an archive for amd64, whose sum is `sum`. */
function serve(archive: Buffer, sum: string, asked: string[]): RequestListener {
  return ({ url = "" }, response) => {
    asked.push(url);
    if (url === "/bin/slipway-linux-amd64.tar.gz.sha256") response.end(`${sum}  slipway\n`);
    else if (url.startsWith("/bin/slipway-linux-amd64.tar.gz?")) response.end(archive);
    else response.writeHead(404).end();
  };
}

it("downloads the archive of an architecture once, whoever asks", async () => {
  const archive = await packProgram();
  const sum = createHash("sha256").update(archive).digest("hex");
  const asked: string[] = [];
  const { directory, open } = await openPrograms(serve(archive, sum, asked));
  const programs = open();
  const [program] = await Promise.all([
    programs.get("amd64", signal),
    programs.get("amd64", signal),
  ]);
  expect(program).toMatchObject({ architecture: "amd64", id: sum.slice(0, 16) });
  const launcher = join(program.directory, "bin/slipway");
  expect(readFileSync(launcher, "utf8")).toBe("#!/bin/sh\n");
  expect(statSync(launcher).mode & 0o111).not.toBe(0);
  expect(await open().get("amd64", signal)).toEqual(program);
  expect(asked.filter((url) => url.includes("?"))).toHaveLength(1);
  expect(readdirSync(directory)).toEqual([sum]);
});

it("keeps nothing of an archive with another sum, or that is cut", async () => {
  const archive = await packProgram();
  const sum = "a".repeat(64);
  const wrong = await openPrograms(serve(archive, sum, []));
  await expect(wrong.open().get("amd64", signal)).rejects.toThrow(`wanted ${sum}`);
  const cut = await openPrograms(serve(archive.subarray(0, 60), sum, []));
  await expect(cut.open().get("amd64", signal)).rejects.toMatchObject({ code: "failed" });
  expect([...readdirSync(wrong.directory), ...readdirSync(cut.directory)]).toEqual([]);
});

it("says that the server has none, or prepares it", async () => {
  const none = await openPrograms(serve(Buffer.of(), "", []));
  await expect(none.open().get("arm64", signal)).rejects.toThrow("the server offers none");
  const page = await openPrograms((_request, response) => response.end("<html>"));
  await expect(page.open().get("amd64", signal)).rejects.toThrow("the server offers none");
  const busy = await openPrograms((_request, response) => response.writeHead(503).end());
  const programs = busy.open();
  await expect(programs.get("amd64", signal)).rejects.toThrow("the server prepares it");
  await expect(programs.get("amd64", AbortSignal.abort())).rejects.toThrow("aborted");
});
