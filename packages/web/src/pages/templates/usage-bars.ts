interface DayUsers {
  readonly date: string;
  readonly amount: number;
}

/** The days that the chart shows. */
const shownDays = 60;

/** Returns the users of the last days, each with its share of the most, for a chart. */
export function usageBars(
  entries: readonly DayUsers[],
): readonly (DayUsers & { readonly share: number })[] {
  const shown = entries.slice(-shownDays);
  const most = Math.max(1, ...shown.map(({ amount }) => amount));
  return shown.map(({ date, amount }) => ({ date, amount, share: amount / most }));
}
