/** The environment or the flags lack what the agent needs; `message` lists every fault. */
export class AgentConfigError extends Error {
  override readonly name = "AgentConfigError";
  readonly code = "config-invalid";
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      faults.length === 1 ? String(faults[0]) : faults.map((fault) => `\n  - ${fault}`).join(""),
    );
    this.faults = faults;
  }
}
