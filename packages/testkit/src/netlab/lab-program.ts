import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

import type { Answer, Call, Calls } from "./answer-calls.ts";
import type { Namespace } from "./namespace.ts";

interface LabProgramOptions {
  readonly namespace: Namespace;
  /** The prefix that runs the command elsewhere (default: none). */
  readonly launcher?: readonly string[];
  /** The source of the program, which calls `answerCalls`. */
  readonly source: URL;
  readonly args?: readonly string[];
}

/** A TypeScript program in a namespace, which ends with it at the latest, and the calls that it answers. */
export class LabProgram<C extends Calls<C> = object> {
  /** The greeting of the program. */
  readonly greeting: unknown;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, greeting: unknown) {
    this.#child = child;
    this.greeting = greeting;
  }

  /** Starts the program and waits until it is ready. Rejects when it exits instead. */
  static async start<C extends Calls<C> = object>(
    options: LabProgramOptions,
  ): Promise<LabProgram<C>> {
    const { namespace, launcher = [], source, args = [] } = options;
    const node = [process.execPath, "--conditions=@slipway/source", source.pathname];
    const child = namespace.spawn("env", [...launcher, ...node, ...args], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    return new LabProgram<C>(child, await nextAnswer(child));
  }

  /** Calls a function of the program. The caller waits for the result before the next call. */
  async call<N extends keyof C & string>(
    name: N,
    argument: Parameters<C[N]>[0],
  ): Promise<Awaited<ReturnType<C[N]>>> {
    const answer = nextAnswer(this.#child);
    this.#child.send({ name, argument } satisfies Call);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the program implements these calls
    return (await answer) as Awaited<ReturnType<C[N]>>;
  }
}

async function nextAnswer(child: ChildProcess): Promise<unknown> {
  const settled = new AbortController();
  const { signal } = settled;
  const ended = once(child, "exit", { signal }).then(() => {
    throw new Error("lab program has exited");
  });
  try {
    const answered = once(child, "message", { signal }).then(([answer]: Answer[]) => answer?.value);
    return await Promise.race([answered, ended]);
  } finally {
    ended.catch(() => undefined);
    settled.abort();
  }
}
