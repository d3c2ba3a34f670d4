/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export const defaultTerminalSize: TerminalSize = { columns: 80, rows: 24 };

/** The kernel's limit. */
const maxCells = 0xffff;

/** Returns the size, limited to what a terminal can have; undefined if it is invalid. */
export function terminalSize(columns: number, rows: number): TerminalSize | undefined {
  const isCount = (count: number): boolean => Number.isInteger(count) && count > 0;
  if (!isCount(columns) || !isCount(rows)) return undefined;
  return { columns: Math.min(columns, maxCells), rows: Math.min(rows, maxCells) };
}
