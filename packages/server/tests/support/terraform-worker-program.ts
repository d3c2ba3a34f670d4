import { openTerraformWorker } from "./terraform-worker.ts";

/** A worker in a process of its own, which a test stops or kills. */
const worker = openTerraformWorker(JSON.parse(process.argv[2] ?? ""));
process.once("SIGTERM", () => void worker[Symbol.asyncDispose]());
