import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";

import { pack } from "tar-stream";
import { onTestFinished } from "vitest";

/** Prints its arguments, what an agent gets, and where it is. */
export const archiveProgram = `#!/bin/sh
[ "$1" = --version ] && { echo "slipway v0.1.0"; exit; }
echo "args=$*"
echo "url=\${CODER_AGENT_URL-} token=\${CODER_AGENT_TOKEN-}"
echo "at=$0"
`;

export async function packTar(content = archiveProgram): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: "slipway/bin/slipway", mode: 0o755 }, content);
  archive.finalize();
  return buffer(archive);
}

export async function packArchive(content = archiveProgram): Promise<Buffer> {
  return gzipSync(await packTar(content));
}

interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Machine {
  readonly home: string;
  /** Runs a script from standard input, as `curl … | sh` does. */
  readonly sh: (
    script: string,
    options?: { readonly args?: string[]; readonly env?: Record<string, string> },
  ) => Promise<Result>;
}

/** The programs of a machine with nothing but these; without `zstd`, gzip is used. */
export const usualPrograms =
  "cat chmod curl grep gzip head id ln ls mkdir mv readlink rm sh sha256sum tar touch uname wc".split(
    " ",
  );

async function findProgram(name: string): Promise<string | undefined> {
  for (const place of ["/usr/bin", "/bin"]) {
    if ((await readdir(place)).includes(name)) return join(place, name);
  }
  return undefined;
}

/** Makes a home directory, and a PATH of some programs of this machine. */
export async function makeMachine(programs: readonly string[] = usualPrograms): Promise<Machine> {
  const home = await mkdtemp(join(tmpdir(), "slipway-machine-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const bin = join(home, "programs");
  await mkdir(bin);
  for (const name of programs) {
    const path = await findProgram(name);
    if (path !== undefined) await symlink(path, join(bin, name));
  }
  // Nothing waits between two tries.
  await symlink((await findProgram("true")) ?? "", join(bin, "sleep"));
  return {
    home,
    sh: async (script, { args = [], env = {} } = {}) => {
      const child = spawn("/bin/sh", ["-s", "--", ...args], {
        env: { PATH: bin, HOME: home, SLIPWAY_DOWNLOAD_TRIES: "1", ...env },
        cwd: home,
      });
      child.stdin.on("error", () => undefined).end(script);
      const output = [text(child.stdout), text(child.stderr)] as const;
      const closed = once(child, "close");
      const [out, err] = await Promise.all(output);
      const [code] = await closed;
      return { code: typeof code === "number" ? code : null, out, err };
    },
  };
}

/** Serves an archive, and a sum, as a server of Slipway does. */
export function serveArchive(archive: Buffer, sum?: string): Promise<string> {
  const own = createHash("sha256").update(archive).digest("hex");
  return serve((request, response) => {
    response.end(request.url?.endsWith(".sha256") ? `${sum ?? own}  name\n` : archive);
  });
}

export async function serve(listener: RequestListener): Promise<string> {
  const own = createServer(listener).listen(0, "127.0.0.1");
  onTestFinished(() => void own.close());
  await once(own, "listening");
  const address = own.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}
