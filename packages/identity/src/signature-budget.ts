/**
 * Most signatures that are checked for one identity. A message of Azure takes three or four: its own, and one for each
 * certificate up to a root.
 */
export const maxSignatures = 12;

/** Counts the signatures that are checked for one identity, whoever shows it: each costs time of the main thread. */
export class SignatureBudget {
  #spent = 0;

  get spent(): number {
    return this.#spent;
  }

  /** Whether one more may be checked, which is counted. */
  take(): boolean {
    if (this.#spent >= maxSignatures) return false;
    this.#spent += 1;
    return true;
  }
}
