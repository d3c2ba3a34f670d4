import { fork } from "node:child_process";
import { once } from "node:events";

/** The answers of a part, by the name of the call. Arguments and answers are JSON. */
type Answers = { readonly [Name in string]: (...args: never[]) => unknown };

/** A part of a benchmark in a separate process, so that its cost is separate too. */
export interface Part<Answering extends Answers> {
  readonly pid: number;
  /** Resolves to the answer. Rejects when the part exits first. */
  call<Name extends keyof Answering & string>(
    name: Name,
    ...args: Parameters<Answering[Name]>
  ): Promise<Awaited<ReturnType<Answering[Name]>>>;
}

interface Call {
  readonly id: number;
  readonly name: string;
  readonly args: readonly never[];
}

/** A message of a part: an answer, or a report if `id` is absent. */
interface Message {
  readonly id?: number;
  readonly value: never;
}

interface PartOptions {
  readonly args?: readonly string[];
  /** Node.js flags. */
  readonly flags?: readonly string[];
  readonly onReport?: (report: never) => void;
}

/** Starts a program of this folder that calls `servePart`; it ends with `opened`. */
export function openPart<Answering extends Answers>(
  opened: AsyncDisposableStack,
  program: string,
  { args = [], flags = [], onReport }: PartOptions = {},
): Part<Answering> {
  const execArgv = ["--conditions=@slipway/source", ...flags];
  const child = fork(new URL(program, import.meta.url), args, { execArgv });
  const ended = once(child, "exit");
  opened.defer(async () => {
    if (child.connected) child.disconnect();
    await ended;
  });
  const waiting: PromiseWithResolvers<never>[] = [];
  child.on("message", ({ id, value }: Message) => {
    if (id === undefined) onReport?.(value);
    else waiting[id]?.resolve(value);
  });
  child.once("exit", () => {
    for (const { reject } of waiting) reject(new Error(`${program} exited`));
  });
  return {
    pid: child.pid ?? 0,
    call: (name, ...given) => {
      const answer = Promise.withResolvers<never>();
      const call: Call = { id: waiting.length, name, args: given };
      waiting.push(answer);
      child.send(call);
      return answer.promise;
    },
  };
}

/** Answers the calls of the program that opened this one, and exits with it. */
export function servePart(answers: Answers): void {
  // Sockets and loops would keep the process alive.
  process.once("disconnect", () => process.exit());
  process.on("message", ({ id, name, args }: Call) => {
    void Promise.resolve(answers[name]?.(...args)).then((value) => process.send?.({ id, value }));
  });
}

/** Sends a report to the program that opened this one. */
export function sendReport(value: unknown): void {
  process.send?.({ value });
}

/**
 * Returns the milliseconds since the epoch with their fraction, comparable between the machine's processes and its
 * database.
 */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}
