/** The signals that a client can send by name (RFC 4254, 6.10, and docs/protocol/agent.md §6.4). */
const signals: ReadonlyMap<string, NodeJS.Signals> = new Map([
  ["ABRT", "SIGABRT"],
  ["ALRM", "SIGALRM"],
  ["FPE", "SIGFPE"],
  ["HUP", "SIGHUP"],
  ["ILL", "SIGILL"],
  ["INT", "SIGINT"],
  ["KILL", "SIGKILL"],
  ["PIPE", "SIGPIPE"],
  ["QUIT", "SIGQUIT"],
  ["SEGV", "SIGSEGV"],
  ["TERM", "SIGTERM"],
  ["USR1", "SIGUSR1"],
  ["USR2", "SIGUSR2"],
]);

/** Returns the signal of a name, with or without SIG; SIGKILL for an unknown name. */
export function signalNamed(name: string): NodeJS.Signals {
  return signals.get(name.replace(/^SIG/, "")) ?? "SIGKILL";
}
