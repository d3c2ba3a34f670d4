import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { logInAsAdmin, startServerProcess } from "@slipway/testkit";

/*
 * Sends requests that a schema-driven fuzzer derives from the API's own description to a server with the
 * demonstration, as its owner, and fails on any response of 500 or above, or one that does not match its description.
 * Prints the related log lines.
 *
 *   npm run fuzz:api [-- <seconds>]
 *
 * It needs Schemathesis 4 in the path: pip install schemathesis
 */

const program = "schemathesis";
const seconds = Number(process.argv[2] ?? "240");

/** Excluded because it ends the session of all requests. */
const endsSession = ["logout"];
/** Reports whether an operation is a stream, excluded because it answers until the reader disconnects. */
const isStream = (operation: object): boolean =>
  JSON.stringify(operation).includes("text/event-stream");

interface Description {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly operationId: string }>>>
  >;
}

if (spawnSync(program, ["--version"]).error !== undefined) {
  process.stderr.write("schemathesis is not in PATH: pip install schemathesis\n");
  process.exitCode = 1;
} else {
  process.exitCode = await fuzz();
}

async function fuzz(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), "slipway-fuzz-"));
  const dataDir = await mkdtemp(join(tmpdir(), "slipway-fuzz-data-"));
  try {
    const environment = { SLIPWAY_LOG_LEVEL: "error", SLIPWAY_LOG_FORMAT: "json" };
    await using server = await startServerProcess({ dataDir, port: 0, demo: true, environment });
    const client = await logInAsAdmin(server.url);
    const url = `${server.url}/api/v2`;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server describes itself, and a test holds it valid
    const description = (await (await fetch(`${url}/openapi.json`)).json()) as Description;
    const file = join(directory, "openapi.json");
    await writeFile(file, JSON.stringify(description));
    const { status } = spawnSync(
      program,
      [
        "run",
        file,
        `--url=${url}`,
        ...Object.entries(client.headers).map(([name, value]) => `--header=${name}: ${value}`),
        ...excluded(description).map((id) => `--exclude-operation-id=${id}`),
        "--checks=not_a_server_error,response_schema_conformance",
        "--continue-on-failure",
        "--suppress-health-check=all",
        "--request-timeout=5",
        "--no-shrink",
        `--max-time=${seconds}`,
      ],
      { stdio: "inherit", cwd: directory },
    );
    const errors = server
      .output()
      .split("\n")
      .filter((line) => line.includes('"level":"error"'));
    for (const line of errors) process.stdout.write(`${line}\n`);
    return status ?? 1;
  } finally {
    await rm(directory, { recursive: true, force: true });
    await rm(dataDir, { recursive: true, force: true });
  }
}

function excluded({ paths }: Description): string[] {
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  return [...operations.filter(isStream).map(({ operationId }) => operationId), ...endsSession];
}
