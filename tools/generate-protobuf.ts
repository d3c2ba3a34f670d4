/**
 * Generates `packages/wire/src/protobuf/gen/` from the proto files next to it. The first run installs its programs.
 *
 *     node tools/generate-protobuf.ts [--check]
 *
 * With `--check`, writes nothing and exits with 1 if the committed files differ.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const protoDirectory = join(root, "packages/wire/src/protobuf");
const committedDirectory = join(protoDirectory, "gen");
const programsDirectory = join(root, "tools/protobuf");
const programs = join(programsDirectory, "node_modules/.bin");

if (!existsSync(programs)) {
  execFileSync("npm", ["ci", "--ignore-scripts"], { cwd: programsDirectory, stdio: "inherit" });
}

if (process.argv.includes("--check")) {
  const fresh = mkdtempSync(join(tmpdir(), "slipway-protobuf-"));
  try {
    generate(fresh);
    const stale = differingFiles(fresh, committedDirectory);
    if (stale.length > 0) {
      process.stderr.write(
        `stale generated files: ${stale.join(", ")}; run tools/generate-protobuf.ts\n`,
      );
      process.exitCode = 1;
    }
  } finally {
    rmSync(fresh, { recursive: true });
  }
} else {
  generate(committedDirectory);
}

function generate(out: string): void {
  const template = {
    version: "v2",
    clean: true,
    plugins: [
      {
        local: join(programs, "protoc-gen-es"),
        out,
        // No `enum`: the sources run by type stripping.
        opt: ["target=ts", "import_extension=ts", "erasable_syntax=true"],
      },
    ],
  };
  const buf = join(programs, "buf");
  execFileSync(buf, ["generate", protoDirectory, "--template", JSON.stringify(template)], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
}

function differingFiles(fresh: string, committed: string): readonly string[] {
  const names = new Set([...readdirSync(fresh), ...readdirSync(committed)]);
  return [...names].filter((name) => read(join(fresh, name)) !== read(join(committed, name)));
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // A file missing on one side is a difference.
    return undefined;
  }
}
