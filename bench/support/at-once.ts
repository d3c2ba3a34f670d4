/** The number of things under way at once. */
const atOnce = 8;

/** Makes `count` things, several at once, in no particular order. */
export async function makeMany<T>(
  count: number,
  make: (number: number) => Promise<T>,
): Promise<readonly T[]> {
  const made: T[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) made.push(await make(next++));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return made;
}
