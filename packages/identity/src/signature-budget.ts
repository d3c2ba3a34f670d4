/**
 * The maximum number of signatures checked for one identity. An Azure message takes three or four: its own, and one
 * for each certificate up to a root.
 */
export const maxSignatures = 12;

/** A budget of signature checks for one identity, whoever presents it: each check takes time of the main thread. */
export class SignatureBudget {
  #spent = 0;

  get spent(): number {
    return this.#spent;
  }

  /** Takes one signature check from the budget; returns false if it is used up. */
  take(): boolean {
    if (this.#spent >= maxSignatures) return false;
    this.#spent += 1;
    return true;
  }
}
