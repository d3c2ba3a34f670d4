/**
 * Returns a function that reads at its first call and returns the same result to all others. A failure rejects the
 * calls that waited for it, and the next call reads again.
 */
export function readOnce<T>(read: () => T | Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return async () => {
    const mine = (reading ??= Promise.resolve().then(read));
    try {
      return await mine;
    } catch (error) {
      if (reading === mine) reading = undefined;
      throw error;
    }
  };
}
