/** The functions of a lab program, by name; arguments and results travel as JSON. */
export type Calls<C> = Record<keyof C, (argument: never) => unknown>;

/** A call from the laboratory. */
export interface Call {
  readonly name: string;
  readonly argument: unknown;
}

/** The first message of a program, or the result of a call. */
export interface Answer {
  readonly value: unknown;
}

/**
 * Tells the laboratory that this program is ready and answers its calls from then on. The program exits with the
 * laboratory, however that ends.
 */
export function answerCalls<C extends Calls<C>>(greeting: unknown, calls: C): void {
  const byName = new Map<string, (argument: never) => unknown>(Object.entries(calls));
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  process.on("message", (call) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `LabProgram` wrote it
    const { name, argument } = call as Call & { readonly argument: never };
    void Promise.resolve(byName.get(name)?.(argument)).then(send);
  });
  send(greeting);
}

function send(value: unknown): void {
  process.send?.({ value } satisfies Answer);
}
