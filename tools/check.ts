/**
 * `npm run check`: runs the gates in order, up to the first that fails. Prints one line per gate with its time, and
 * the output of a failing one. `--skip=<name>` skips one.
 */
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";

interface Step {
  readonly name: string;
  /** A program of `node_modules/.bin` or npm, and its arguments. */
  readonly command: readonly [string, ...string[]];
}

const steps: readonly Step[] = [
  { name: "format", command: ["oxfmt", "--check", "."] },
  { name: "lint", command: ["oxlint"] },
  { name: "types", command: ["tsc", "-b"] },
  { name: "dead code", command: ["knip", "--no-progress", "--no-config-hints"] },
  { name: "unit tests", command: ["npm", "run", "--silent", "test:unit"] },
];

const { values } = parseArgs({
  options: { skip: { type: "string", multiple: true, default: [] } },
});

for (const step of steps) {
  if (values.skip.includes(step.name)) continue;
  const startedMs = performance.now();
  const { succeeded, output } = await run(step.command);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(
    `${step.name.padEnd(10)} ${seconds.padStart(6)} s  ${succeeded ? "ok" : "failed"}\n`,
  );
  if (!succeeded) {
    process.stdout.write(`\n${output.trimEnd()}\n`);
    process.exitCode = 1;
    break;
  }
}

async function run([program, ...args]: Step["command"]): Promise<{
  succeeded: boolean;
  output: string;
}> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => chunks.push(text));
  }
  const { promise, resolve } = Promise.withResolvers<boolean>();
  child.on("error", (error) => {
    chunks.push(`${program}: ${error.message}`);
    resolve(false);
  });
  child.on("close", (code) => resolve(code === 0));
  const succeeded = await promise;
  return { succeeded, output: chunks.join("") };
}
