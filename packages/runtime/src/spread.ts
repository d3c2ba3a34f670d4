/** Returns a time shortened at random by up to a third, so that what started together does not stay in step. */
export function spread(ms: number): number {
  return ms * (1 - Math.random() / 3);
}
