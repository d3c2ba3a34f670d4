/**
 * Makes archives of the agent and the command with Node.js, for machines without it:
 * `npm run build:archive -- --architecture amd64 --compression tar.gz --output dist/downloads`. Without options, all of
 * them. Reports its progress on stderr, and prints the paths of the archives.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { type Architecture, architectures } from "./archive/parts.ts";
import { type Compression, compressions, writeArchive } from "./archive/write-archive.ts";

const { values } = parseArgs({
  options: {
    architecture: { type: "string", multiple: true, default: Object.keys(architectures) },
    compression: { type: "string", multiple: true, default: Object.keys(compressions) },
    output: { type: "string", default: "dist/downloads" },
  },
});

const stopping = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => stopping.abort(new Error(`stopped by ${name}`)));
}

try {
  for (const architecture of values.architecture) {
    for (const compression of values.compression) {
      if (!isArchitecture(architecture)) throw wrong("architecture", architecture, architectures);
      if (!isCompression(compression)) throw wrong("compression", compression, compressions);
      const path = await writeArchive({
        architecture,
        compression,
        output: resolve(values.output),
        report: (line) => void process.stderr.write(`${line}\n`),
        signal: stopping.signal,
      });
      process.stdout.write(`${path}\n`);
    }
  }
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function isArchitecture(name: string): name is Architecture {
  return Object.hasOwn(architectures, name);
}

function isCompression(name: string): name is Compression {
  return Object.hasOwn(compressions, name);
}

function wrong(option: string, found: string, known: object): Error {
  return new Error(`--${option} is ${found}, wanted ${Object.keys(known).join(" or ")}`);
}
