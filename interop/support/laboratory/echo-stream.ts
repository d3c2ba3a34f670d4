import type { ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";

const chunkBytes = 64 * 1024;

/** The outcome of a stream whose other end echoes everything. */
export interface EchoOutcome {
  readonly sent: string;
  readonly received: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** A disturbance of a stream after its first quarter. */
interface StreamBreak {
  /** Lets the disturbance finish before the stream continues. */
  readonly isQuiet: boolean;
  readonly disturb: () => Promise<void>;
  /** Ends the input before everything has come back. */
  readonly halfCloses: boolean;
}

/**
 * Sends bytes to an echoing program as fast as it reads them, and calls `disturb` after the first quarter has come
 * back. Ends its input and waits for it to exit.
 */
export async function echoStream(
  {
    stdin,
    stdout,
    stderr,
    ...child
  }: Pick<ChildProcess, "stdin" | "stdout" | "stderr"> & {
    readonly ended: Promise<number | null>;
  },
  bytes: number,
  { isQuiet, disturb, halfCloses }: StreamBreak,
): Promise<EchoOutcome> {
  if (stdin === null || stdout === null || stderr === null) throw new Error("missing pipes");
  const [sent, received] = [createHash("sha256"), createHash("sha256")];
  const [quarter, all] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let [text, count] = ["", 0];
  stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  stdin.on("error", () => undefined);
  stdout.on("data", (chunk: Buffer) => {
    received.update(chunk);
    count += chunk.length;
    if (count >= bytes / 4) quarter.resolve();
    if (count >= bytes) all.resolve();
  });
  const write = async (share: number): Promise<void> => {
    for (let left = bytes * share; left > 0; left -= chunkBytes) {
      const chunk = randomBytes(Math.min(left, chunkBytes));
      sent.update(chunk);
      if (stdin.write(chunk)) continue;
      // A program that has exited reads no more; its outcome says why.
      await Promise.race([once(stdin, "drain").catch(() => child.ended), child.ended]);
    }
  };
  await write(1 / 4);
  await Promise.race([quarter.promise, child.ended]);
  const disturbed = disturb();
  if (isQuiet) await disturbed;
  await Promise.all([write(1 / 2), disturbed]);
  await write(1 / 4);
  if (!halfCloses) await Promise.race([all.promise, child.ended]);
  stdin.end();
  const code = await child.ended;
  return { sent: sent.digest("hex"), received: received.digest("hex"), stderr: text, code };
}
