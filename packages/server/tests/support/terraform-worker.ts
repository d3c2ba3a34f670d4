import { TerraformDriver } from "@slipway/drivers";
import { silentLogger, systemClock } from "@slipway/runtime";

import { buildHandler } from "../../src/features/builds/build-job.ts";
import { WorkspaceTurns } from "../../src/features/builds/workspace-turns.ts";
import { SecretBox } from "../../src/platform/auth/secret-box.ts";
import { connectionOptions, openDatabase } from "../../src/platform/db/database.ts";
import { HeartbeatConnection } from "../../src/platform/db/heartbeat-connection.ts";
import { JobWorker } from "../../src/platform/jobs/worker.ts";
import { PostgresPubSub } from "../../src/platform/pubsub/postgres-pubsub.ts";

/** Passed to a process as JSON. */
export interface TerraformWorkerOptions {
  readonly databaseUrl: string;
  readonly workerId: string;
  /** The directory of this worker's machine. */
  readonly directory: string;
  readonly program: string;
  readonly maxSilenceMs: number;
  readonly graceMs: number;
}

/** The part of a server that carries out builds of Terraform's configurations. */
export function openTerraformWorker(options: TerraformWorkerOptions): AsyncDisposable {
  const { databaseUrl: url, workerId, directory, program, maxSilenceMs, graceMs } = options;
  const common = { clock: systemClock, logger: silentLogger };
  const db = openDatabase({ url }, silentLogger);
  const connection = connectionOptions({ url });
  const pubsub = new PostgresPubSub({ ...common, db, connection, replicaId: workerId });
  const driver = new TerraformDriver({
    runsDir: `${directory}/runs`,
    program: { path: program },
    configFile: undefined,
    environment: { STAGE: directory },
    users: undefined,
    agentScripts: {},
    maxRuns: 4,
    limits: { maxSilenceMs, graceMs },
    clock: systemClock,
  });
  const handler = buildHandler({
    db,
    secrets: new SecretBox(["secret of the workers"]),
    drivers: new Map([[driver.name, driver]]),
    accessUrl: "http://127.0.0.1:3000",
    unpackDir: `${directory}/unpacked`,
    turns: new WorkspaceTurns(),
    clock: systemClock,
    stageSeconds: { observe: () => undefined },
  });
  const heartbeats = new HeartbeatConnection({ db, address: { url }, logger: silentLogger });
  const worker = new JobWorker({
    ...common,
    heartbeats,
    db,
    pubsub,
    workerId,
    endedJobs: { inc: () => undefined },
    handlers: { workspace_build: handler },
  });
  return {
    [Symbol.asyncDispose]: async () => {
      await worker[Symbol.asyncDispose]();
      await heartbeats[Symbol.asyncDispose]();
      await pubsub[Symbol.asyncDispose]();
      await db.destroy();
    },
  };
}
