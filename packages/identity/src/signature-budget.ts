/**
 * The maximum number of signatures checked for one identity. A message of Azure takes three or four: its own, and one
 * for each certificate up to a root.
 */
export const maxSignatures = 12;

/** Counts the signatures checked for one identity, whoever presents it: each costs time of the main thread. */
export class SignatureBudget {
  #spent = 0;

  get spent(): number {
    return this.#spent;
  }

  /** Returns whether one more may be checked, and counts it. */
  take(): boolean {
    if (this.#spent >= maxSignatures) return false;
    this.#spent += 1;
    return true;
  }
}
