/** Milliseconds since the epoch with their fraction: comparable between the processes of one machine, and with its database. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}
