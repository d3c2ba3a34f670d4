import { type OptionsOf, variablesOf } from "../../../command/definition.ts";
import type { Needs } from "../../../command/needs.ts";
import { readNewPassword } from "../../../resources/users/read-password.ts";
import { command } from "./command.ts";

/** The part of the server's package that is used here; flags have the names of its variables. */
interface ServerModule {
  readonly runResetPassword: (options: {
    readonly flags: Readonly<Record<string, string | undefined>>;
    readonly environment: NodeJS.ProcessEnv;
    readonly user: string | undefined;
    readonly password: string | undefined;
    readonly stdout: (text: string) => void;
    readonly stderr: (text: string) => void;
    readonly signal: AbortSignal;
  }) => Promise<number>;
}

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, environment, signal }: Pick<Needs, "terminal" | "environment" | "signal">,
): Promise<number> {
  const { runResetPassword }: ServerModule = await import("@slipway/server");
  return runResetPassword({
    flags: variablesOf(command, options),
    environment,
    user: options.user,
    password: options.passwordStdin ? await readNewPassword(terminal) : undefined,
    stdout: (text) => terminal.out.write(text),
    stderr: (text) => terminal.err.write(text),
    signal,
  });
}
